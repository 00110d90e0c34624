"""HDF5 metadata, read by this package's own strict-subset walker: no C library, no weights.

The walker promises that a hostile file ends in an error of `secure_serial.errors`, that the
cost is bounded by `Limits`, and that a file it accepts holds hard links, internal storage,
numbers and text only (CVE-2026-0897, CVE-2026-1669, CVE-2026-12480, CVE-2026-9335,
CVE-2026-12570). The format is the HDF5 File Format Specification, version 3.0
(https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html); sections named in the
modules are that document's.
"""

from __future__ import annotations

from secure_serial.artifact.hdf5.walk import ROOT_ATTRIBUTES, Hdf5File, is_hdf5, read_hdf5

__all__ = ["ROOT_ATTRIBUTES", "Hdf5File", "is_hdf5", "read_hdf5"]
