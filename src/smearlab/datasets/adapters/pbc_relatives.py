"""Pictures of PBC that show the same cell, or the same place of a smear, under different names.

Found by ``smearlab data duplicates`` (its defaults) among the 8,000 pictures of PBC and the 1,134
of TXL-PBC that development was done on, about half of the archive; the rest will hold more. Some
carry different types. Whoever splits PBC by file name has them on both sides.
"""

#: Names without suffix; every group is one source.
RELATIVES: tuple[tuple[str, ...], ...] = (
    ("BA_174731", "BA_874689"),
    ("BA_202924", "BA_683125"),
    ("BA_304705", "LY_524425"),
    ("BA_381452", "BA_80990"),
    ("BA_49100", "BA_949913"),
    ("EO_116336", "EO_558714"),
    ("EO_123299", "EO_642190"),
    ("EO_15074093", "EO_179046"),
    ("EO_484601", "EO_627519"),
    ("ERB_169417", "ERB_857402"),
    ("ERB_191437", "ERB_271613", "ERB_454654"),
    ("ERB_231898", "ERB_288825"),
    ("ERB_232473", "ERB_938286"),
    ("ERB_237315", "ERB_946382"),
    ("ERB_272041", "ERB_65923"),
    ("ERB_287222", "ERB_984537"),
    ("ERB_353900", "ERB_563129", "ERB_714613"),
    ("ERB_36119", "ERB_773745"),
    ("ERB_417629", "ERB_847579"),
    ("ERB_420442", "ERB_608578", "ERB_653702"),
    ("ERB_423056", "ERB_431919"),
    ("ERB_423288", "ERB_846578"),
    ("ERB_499441", "ERB_616563"),
    ("ERB_563792", "ERB_948793"),
    ("ERB_596616", "ERB_878703"),
    ("LY_105283", "LY_904936"),
    ("LY_147262", "LY_742481"),
    ("LY_211339", "LY_793239"),
    ("LY_377286", "LY_829942"),
    ("LY_440047", "LY_752828"),
    ("LY_609104", "MO_74720"),
    ("LY_914453", "MO_257537"),
    ("MO_231316", "MO_415531"),
    ("MO_371397", "MO_595256"),
    ("MO_422563", "MO_832660"),
    ("MO_425760", "MO_850767"),
    ("MO_727663", "MO_918252"),
    ("PLATELET_397719", "PLATELET_763220"),
    ("PMY_829200", "PMY_873325"),
)

#: Name → the first of its group.
FIRST_RELATIVE = {name: group[0] for group in RELATIVES for name in group}
