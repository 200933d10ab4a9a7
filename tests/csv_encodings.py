"""Whole files, and the description that they contain: the client and the operator's commands must agree on it.

None means that both must refuse the file. The two packages must not import each other, so each has this rule in its
own code: UTF-8 if every byte fits, otherwise cp1252; a file with a byte order mark can only be UTF-8.
"""

import codecs
import gzip

import pytest

_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
_FILE = _HEADER + "\r\n536365,85123A,{},6,12/1/2010 8:26,2.55,17850,United Kingdom\r\n"


def _file(description: str) -> str:
    return _FILE.format(description)


ENCODED_FILES = [
    pytest.param(_file("HEART").encode(), "HEART", id="ascii"),
    pytest.param(_file("£5 café").encode(), "£5 café", id="UTF-8"),
    pytest.param(codecs.BOM_UTF8 + _file("£5 café").encode(), "£5 café", id="UTF-8 with a byte order mark"),
    pytest.param(_file("£5 café").encode("cp1252"), "£5 café", id="cp1252"),
    pytest.param(gzip.compress(_file("£5 café").encode("cp1252")), "£5 café", id="cp1252 in gzip"),
    pytest.param(_file("Â£").encode("cp1252"), "£", id="cp1252 that is UTF-8, too"),
    pytest.param(
        codecs.BOM_UTF8 + _file("café").encode("cp1252"), None, id="a byte order mark and one byte of Latin-1"
    ),
    pytest.param(_file("\x81").encode("latin-1"), None, id="a byte that cp1252 lacks"),
    pytest.param(_file("£").encode()[:-1] + b"\xc3 \x81\n", None, id="neither UTF-8 nor cp1252"),
    pytest.param(_file("£5 café").encode("utf-16"), "£5 café", id="UTF-16"),
    pytest.param(_file("£5 café").encode("utf-16-be"), "£5 café", id="UTF-16 without a byte order mark"),
    pytest.param(_file("£5 café").encode("utf-16")[:-1], None, id="UTF-16 that ends in half a character"),
    pytest.param(_file("HEART").encode("utf-32"), None, id="UTF-32"),
    pytest.param(gzip.compress(_file("HEART").encode())[:-9], None, id="gzip that ends too early"),
]
