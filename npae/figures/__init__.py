"""Figures: plain arrays in, a `matplotlib.figure.Figure` out, one figure a file. Never pyplot, no display, no global state.

    npae.figures.loss_curves       loss_curves(history)                      a panel a term, train and validation
    npae.figures.reconstructions   reconstructions(x, y, image_shape)        originals over reconstructions
    npae.figures.samples           samples(x, image_shape)                   a grid of images, or of profiles
    npae.figures.scatter           scatter(codes, labels)                    2-d codes, coloured by class
    npae.figures.manifold          manifold(decode, image_shape)             the plane of 2-d codes, decoded
    npae.figures.style             save(figure, path)                        PNG or SVG, the same bytes every time

matplotlib is imported by these modules, not by this package: import the one that is needed, for example
`from npae.figures.scatter import scatter`.
"""
