"""Pictures of similarities, distances and clusters: one function a picture.

`S` holds the entries of n items, `fit` is a Clustering of the same items, and `names` (n,) are their names.
Each function draws on `ax` and returns it; without `ax` it opens a new figure. It sets no title, because only the
caller knows the finding. Only `style` changes settings.

The colours are safe for colour-blind readers, and the shape of a marker repeats its colour. A medoid is always a star
in a ring. A large matrix is drawn as means of blocks.

look       colours, markers, settings
fonts      the fonts of letters, and the letters that none has
given      what the caller gave, checked
names      names beside points, none over another
heat       the matrix: how its entries are spread, and its order by clusters
clusters   sizes, tightness, silhouettes, known categories
curves     loss by iteration; criteria and stability by k
maps       medoids and items in the plane, and the tree of the exemplars
"""

from simlib._extras import extra

with extra("workbook", "simlib.plots"):
    from simlib.plots.clusters import category_table, cluster_sizes, clusters_2d, silhouette_bars, similarity_to_medoid
    from simlib.plots.curves import CRITERIA, history, k_curve, stability_curve
    from simlib.plots.heat import SCALE, SIMILARITY, block_matrix, similarity_histogram
    from simlib.plots.look import COLOURS, INK, MARKERS, style
    from simlib.plots.maps import atlas, exemplar_tree, medoid_map, medoid_positions

__all__ = [
    "COLOURS",
    "CRITERIA",
    "INK",
    "MARKERS",
    "SCALE",
    "SIMILARITY",
    "atlas",
    "block_matrix",
    "category_table",
    "cluster_sizes",
    "clusters_2d",
    "exemplar_tree",
    "history",
    "k_curve",
    "medoid_map",
    "medoid_positions",
    "silhouette_bars",
    "similarity_histogram",
    "similarity_to_medoid",
    "stability_curve",
    "style",
]
