"""The adapters that there are."""

from __future__ import annotations

from collections.abc import Mapping

from smearlab.datasets.adapters import (
    all_idb1,
    all_idb2,
    aml_lmu,
    bbbc041seg,
    bccd,
    bccd4,
    chula_rbc12,
    folder,
    lisc,
    pbc,
    raabin,
    txl_pbc,
    zheng,
)
from smearlab.datasets.adapters.base import Adapter

#: Name → adapter.
ADAPTERS: Mapping[str, Adapter] = {
    "pbc": pbc.ADAPTER,
    "aml_lmu": aml_lmu.ADAPTER,
    "txl_pbc": txl_pbc.ADAPTER,
    "bccd": bccd.ADAPTER,
    "bccd4": bccd4.ADAPTER,
    "lisc": lisc.ADAPTER,
    "all_idb1": all_idb1.ADAPTER,
    "all_idb2": all_idb2.ADAPTER,
    "raabin": raabin.ADAPTER,
    "zheng": zheng.ADAPTER,
    "bbbc041seg": bbbc041seg.ADAPTER,
    "chula_rbc12": chula_rbc12.ADAPTER,
    "folder": folder.ADAPTER,
}
