"""Boxed fields that show the same place of a smear under different names.

Found by ``smearlab data duplicates`` (its defaults) among the 1,410 fields of TXL-PBC and BCCD that
development was done on: photographs that overlap, and slides photographed twice. Whoever splits
these sets by file name, or as they are published, has some of them on both sides.
"""

#: Sources as :func:`smearlab.datasets.adapters.sources.source_group` names them; every tuple is one
#: place.
FIELD_RELATIVES: tuple[tuple[str, ...], ...] = (
    ("BCCD/BloodImage_00037", "BCCD/BloodImage_00038"),
    ("BCCD/BloodImage_00107", "BCCD/BloodImage_00108"),
    ("BCCD/BloodImage_00165", "BCCD/BloodImage_00166", "BCCD/BloodImage_00193"),
    (
        "BCCD/BloodImage_00204",
        "BCCD/BloodImage_00205",
        "BCCD/BloodImage_00276",
        "BCCD/BloodImage_00277",
    ),
    ("BCCD/BloodImage_00206", "BCCD/BloodImage_00278"),
    (
        "BCCD/BloodImage_00223",
        "BCCD/BloodImage_00224",
        "BCCD/BloodImage_00263",
        "BCCD/BloodImage_00264",
    ),
    ("BCCD/BloodImage_00228", "BCCD/BloodImage_00259"),
    ("BCCD/BloodImage_00229", "BCCD/BloodImage_00258"),
    ("BCCD/BloodImage_00230", "BCCD/BloodImage_00257"),
    ("BCCD/BloodImage_00231", "BCCD/BloodImage_00256"),
    ("BCCD/BloodImage_00232", "BCCD/BloodImage_00255"),
    ("BCCD/BloodImage_00236", "BCCD/BloodImage_00253"),
    ("BCCD/BloodImage_00237", "BCCD/BloodImage_00252"),
    ("BCCD/BloodImage_00239", "BCCD/BloodImage_00240"),
    ("BCCD/BloodImage_00242", "BCCD/BloodImage_00249"),
    ("BCCD/BloodImage_00244", "BCCD/BloodImage_00247"),
    ("BCCD/BloodImage_00365", "BCCD/BloodImage_00408"),
    ("BCCD/BloodImage_00377", "BCCD/BloodImage_00400"),
    ("BCCD/BloodImage_00381", "BCCD/BloodImage_00397"),
    ("BCCD/BloodImage_00384", "BCCD/BloodImage_00393"),
    ("BCCD/BloodImage_00386", "BCCD/BloodImage_00391"),
    ("BCDD/image-101", "BCDD/image-66"),
    ("BCDD/image-105", "BCDD/image-62"),
    ("BCDD/image-106", "BCDD/image-60"),
    ("BCDD/image-107", "BCDD/image-59"),
    ("BCDD/image-12", "BCDD/image-43"),
    ("BCDD/image-19", "BCDD/image-38"),
    ("BCDD/image-20", "BCDD/image-37"),
    ("BCDD/image-28", "BCDD/image-33"),
    ("BCDD/image-49", "BCDD/image-8"),
    ("BCDD/image-50", "BCDD/image-52"),
    ("BCDD/image-71", "BCDD/image-96"),
    ("BCDD/image-72", "BCDD/image-94"),
    ("BCDD/image-75", "BCDD/image-91"),
    ("BCDD/image-76", "BCDD/image-90"),
    ("BCDD/image-80", "BCDD/image-86"),
    ("Raabin-WBC/20190527_113029", "Raabin-WBC/20190531_105858"),
    ("Raabin-WBC/95-5-4-1_107", "Raabin-WBC/95-5-5-1_165"),
    ("Raabin-WBC/95-5-4-1_117", "Raabin-WBC/95-5-5-1_108"),
    ("Raabin-WBC/95-5-4-1_118", "Raabin-WBC/95-5-5-1_107"),
    ("Raabin-WBC/95-5-4-1_124", "Raabin-WBC/95-5-5-1_151"),
    ("Raabin-WBC/95-5-4-1_130", "Raabin-WBC/95-5-5-1_144"),
    ("Raabin-WBC/95-7-24-2_230", "Raabin-WBC/95-7-24-2_256"),
    ("Raabin-WBC/95-8-10-1_719", "Raabin-WBC/95-8-10-1_980"),
    ("Raabin-WBC/95-8-3-1_137", "Raabin-WBC/95-8-3-1_82"),
    ("Raabin-WBC/95-8-3-1_160", "Raabin-WBC/95-8-3-1_97"),
)

#: Source → the first of its tuple.
FIRST_FIELD_RELATIVE = {name: group[0] for group in FIELD_RELATIVES for name in group}
