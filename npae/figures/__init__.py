"""Figures: plain arrays in, a `matplotlib.figure.Figure` out, one figure a file. Never pyplot, no display, no global state.

    npae.figures.loss_curves       loss_curves(history)                      a panel a term, train and validation
    npae.figures.reconstructions   reconstructions(x, y, image_shape)        originals over reconstructions
    npae.figures.samples           samples(x, image_shape)                   a grid of images, or of profiles
    npae.figures.scatter           scatter(codes, labels)                    2-d codes, coloured by class
    npae.figures.manifold          manifold(decode, image_shape)             the plane of 2-d codes, decoded
    npae.figures.traverse          traverse(decode, image_shape, rest=z)     two latent units varied
    npae.figures.interpolation     interpolation(decode, a, b, image_shape)  from one code to another, linear and spherical
    npae.figures.labelled_rows     labelled_rows({"noisy": x}, image_shape)  rows of pictures with names
    npae.figures.samples_by_label  samples_by_label(x, labels, image_shape)  a column a class
    npae.figures.beside            beside({"vae": x, "gan": y}, image_shape) several models side by side
    npae.figures.embedding_map     embedding_map(places, labels)             a t-SNE map
    npae.figures.term_shares       term_shares(history)                      weighted terms over the steps
    npae.figures.kl_per_unit       kl_per_unit(kl, active)                   which latent units carry information
    npae.figures.aggregated_posterior  aggregated_posterior(codes)           codes beside the prior, unit by unit
    npae.figures.sweep             sweep(latents, errors, pca_errors)        error against the number of latent dimensions
    npae.figures.waveforms         waveforms(noisy, denoised, clean)         sounds before and after
    npae.figures.roc               roc({"ELBO": (false, true)})              ROC curves
    npae.figures.auroc_by_class    auroc_by_class({"ELBO": areas}, classes)  detectors over normal classes
    npae.figures.null_histogram    null_histogram(null, observed, p)         what chance gives under a two-sample test, and what was seen
    npae.figures.power             power(shares, apart, level=0.05)          the power of a test against how far apart two samples are
    npae.figures.gradient_flow     gradient_flow(flow)                       activations and gradients node by node
    npae.figures.influential       influential(x, rows, norms, median, shape)  the rows that pull hardest
    npae.figures.html_page         Page(title)                               a web page in one file
    npae.figures.of_runs           draw(name, runs, choices)                 all figures of trained runs, by name
    npae.figures.style             save(figure, path)                        PNG or SVG, the same bytes every time

matplotlib is imported by these modules, not by this package: import the one that is needed, for example
`from npae.figures.scatter import scatter`.
"""
