"""Every layer, loss, model and kernel explained: formula, derivation, shapes, source, and an example whose numbers are computed live.

    catalogue.py       what there is to explain, by name
    derivation.py      a derivation: steps, their numbers, and the code that they are held to
    derivations/       all of them, a file for each family
    examples.py, model_examples.py, passes.py    the real code on a few numbers, and what passes through a model's nodes
    sources.py         docstrings and source lines, forward beside backward
    mathematics.py, matrices.py                  formulas and numbers as text and as MathML
    explanation.py     all of it put together;  terminal.py, page.py: shown
    shapes.py          the shapes of a configuration, node by node;  compiled_step.py: a compiled step, operation by operation

What is shown is read from the code and its docstrings, and the derivations are held to the code's numbers by tests.
"""
