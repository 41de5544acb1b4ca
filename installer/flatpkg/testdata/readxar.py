"""Reads a xar archive, sharing nothing with the writer: checks every checksum, writes the files below a folder, and leaves
digest, signature and certificates of the table of contents beside them. Prints JSON."""
import base64
import hashlib
import json
import os
import struct
import sys
import xml.etree.ElementTree as ET
import zlib

archive, out = sys.argv[1:]
raw = open(archive, "rb").read()
magic, header, version, packed, unpacked, kind = struct.unpack_from(">4sHHQQI", raw)
assert magic == b"xar!" and header == 28 and version == 1
toc = raw[header:header + packed]
text = zlib.decompress(toc)
assert len(text) == unpacked
heap = raw[header + packed:]
root = ET.fromstring(text).find("toc")
check = root.find("checksum")
algorithm = check.get("style")
assert {1: "sha1", 3: "sha256"}[kind] == algorithm
at, size = int(check.find("offset").text), int(check.find("size").text)
digest = hashlib.new(algorithm, toc).digest()
assert heap[at:at + size] == digest, "the table's digest is wrong"
open(os.path.join(out, "toc.digest"), "wb").write(digest)
used = [(at, size)]

signature = root.find("signature")
certificates = 0
if signature is not None:
    assert signature.get("style") == "RSA"
    at, size = int(signature.find("offset").text), int(signature.find("size").text)
    used.append((at, size))
    open(os.path.join(out, "toc.signature"), "wb").write(heap[at:at + size])
    space = "{http://www.w3.org/2000/09/xmldsig#}"
    for c in signature.findall(f"{space}KeyInfo/{space}X509Data/{space}X509Certificate"):
        open(os.path.join(out, f"certificate{certificates}.der"), "wb").write(base64.b64decode(c.text))
        certificates += 1

files, owners, ids = [], set(), []


def walk(folder, where):
    for f in where.findall("file"):
        name = os.path.join(folder, f.find("name").text)
        ids.append(f.get("id"))
        owners.add(f"{f.find('user').text}:{f.find('group').text} {f.find('uid').text}/{f.find('gid').text} {f.find('mtime').text}")
        if f.find("type").text == "directory":
            os.mkdir(os.path.join(out, name))
            walk(name, f)
            continue
        d = f.find("data")
        offset, length = int(d.find("offset").text), int(d.find("length").text)
        used.append((offset, length))
        data = heap[offset:offset + length]
        assert hashlib.new(algorithm, data).hexdigest() == d.find("archived-checksum").text, name
        if d.find("encoding").get("style") == "application/x-gzip":
            data = zlib.decompress(data)
        assert len(data) == int(d.find("size").text), name
        assert hashlib.new(algorithm, data).hexdigest() == d.find("extracted-checksum").text, name
        open(os.path.join(out, name), "wb").write(data)
        files.append(name)


walk("", root)
assert len(ids) == len(set(ids))
end = 0
for at, size in sorted(used):
    assert at == end, "the heap has a gap or an overlap"
    end = at + size
assert end == len(heap), "something is behind the heap"
json.dump({"files": files, "owners": sorted(owners), "created": root.find("creation-time").text, "certificates": certificates}, sys.stdout)
