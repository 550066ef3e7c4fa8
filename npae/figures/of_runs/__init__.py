"""Figures of trained runs, by name: what each shows, what a run has to have for it, and how it is drawn.

npae.figures.of_runs.subject     Subject: a run as a figure sees it; Choices: what a person may choose
npae.figures.of_runs.needs       what a run may lack, and the words for it
npae.figures.of_runs.rebuilt     from rows and their reconstructions
npae.figures.of_runs.decoded     from codes that the prior, a grid or a path gives
npae.figures.of_runs.encoded     from the codes of rows
npae.figures.of_runs.trained     from the history
npae.figures.of_runs.several     from two runs or more
npae.figures.of_runs.drawings    DRAWINGS: the table of all of them, and draw(name, runs, choices)
"""
