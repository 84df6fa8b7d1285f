"""The attack: thousands of calls drawn at random, each compared with an oracle or refused clearly.

``make attack`` runs it whole, ``make test`` a seeded part (`tests/test_attack.py`). A kind of attack is a file with a
function ``case(rng, folder)``, which makes one case and returns a verdict (`verdicts`); `table` lists the kinds. The
same seed and number give the same case again: ``python -m tests.attack KIND NUMBER`` runs that one.

kinds       wrong kinds of values for every parameter of every public function
products    similarities of odd shapes, types and layouts, against float64
clusters    k-medoids, silhouettes and certificates with ties and copies, against brute force and scikit-learn
planted     NaN, infinity and one wrong entry, anywhere in a matrix, in vectors or in new rows
scales      similarities on other scales, percentages, kernels and masks
dialects    tables of text in many dialects
names       hostile labels and names of files
stamps      pages that somebody changed
stopped     interrupts and kills at random moments, while files are written
systems     forks, threads, full disks and limits of memory, each in a process of its own
"""
