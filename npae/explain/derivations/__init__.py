"""The derivations, a file for each family; each file's DERIVATIONS hold the steps and an example of every thing it explains."""
