"""Reads a bill of materials, sharing nothing with the writer: by random access through the tree's branches, and once more
along the leaves' links. Prints JSON: paths as lsbom(8) would, the shape of the tree, the other named blocks."""
import json
import struct
import sys

data = open(sys.argv[1], "rb").read()


class Store:
    def __init__(self, raw):
        magic, version, used, index, length, names, names_length = struct.unpack_from(">8sIIIIII", raw)
        assert magic == b"BOMStore" and version == 1, (magic, version)
        assert index + length == len(raw), "the index is not at the end"
        self.raw = raw
        (count,) = struct.unpack_from(">I", raw, index)
        self.table = [struct.unpack_from(">II", raw, index + 4 + 8 * i) for i in range(count)]
        assert self.table[0] == (0, 0), "block 0 is not the null block"
        assert used == sum(1 for at, size in self.table if size), "the number of used blocks is wrong"
        for at, size in self.table[1:]:
            assert 512 <= at and at + size <= index, "a block is outside"
        (free,) = struct.unpack_from(">I", raw, index + 4 + 8 * count)
        assert free == 0
        self.named = {}
        cursor = names
        (many,) = struct.unpack_from(">I", raw, cursor)
        cursor += 4
        for _ in range(many):
            number, n = struct.unpack_from(">IB", raw, cursor)
            self.named[raw[cursor + 5:cursor + 5 + n].decode()] = number
            cursor += 5 + n
        assert cursor == names + names_length

    def block(self, number):
        assert number != 0
        at, size = self.table[number]
        return self.raw[at:at + size]


class Tree:
    def __init__(self, store, number):
        head = store.block(number)
        self.store = store
        magic, version, self.root, self.node, self.total = struct.unpack_from(">4sIIII", head)
        assert magic == b"tree" and version == 1 and len(head) == 21

    def read(self, number):
        raw = self.store.block(number)
        assert len(raw) == self.node, "a node is not as long as the tree says"
        leaf, count, forward, backward = struct.unpack_from(">HHII", raw)
        pairs = [struct.unpack_from(">II", raw, 12 + 8 * i) for i in range(count)]
        return leaf, forward, backward, pairs

    def down(self, number=None):
        """Pairs through the branches; also checks what branches say of their leaves."""
        leaf, _, _, pairs = self.read(self.root if number is None else number)
        if leaf:
            return list(pairs)
        found = []
        for child, last in pairs:
            below = self.down(child)
            assert below[-1][1] == last, "a branch does not have the last value of what is below"
            found += below
        return found

    def along(self):
        """Pairs along the links, forwards; links backwards must agree."""
        number, before, found, leaves = self.root, 0, [], 0
        while not self.read(number)[0]:
            number = self.read(number)[3][0][0]
        while number:
            leaf, forward, backward, pairs = self.read(number)
            assert leaf == 1 and backward == before
            found += pairs
            leaves += 1
            before, number = number, forward
        return found, leaves


store = Store(data)
paths = Tree(store, store.named["Paths"])
pairs = paths.down()
along, leaves = paths.along()
assert pairs == along, "branches and links tell different things"
assert len(pairs) == paths.total

sizes = {}
for key, value in Tree(store, store.named["Size64"]).down():
    sizes[value] = struct.unpack(">Q", store.block(key))[0]

names, lines, order = {}, [], []
for key, value in pairs:
    number, meta_block = struct.unpack(">II", store.block(key))
    raw = store.block(value)
    (parent,) = struct.unpack_from(">I", raw)
    assert raw.endswith(b"\0")
    name = raw[4:-1].decode()
    assert parent == 0 or parent in names, "a path comes before its folder"
    full = name if parent == 0 else names[parent] + "/" + name
    names[number] = full
    order.append((parent, name))
    meta = store.block(meta_block)
    kind, one, flags, mode, uid, gid, mtime, size, one_more = struct.unpack_from(">BBHHIIIIB", meta)
    assert one == 1 and one_more == 1 and flags & 0xF == 0xF
    size = sizes.get(meta_block, size)
    line = {"path": full, "mode": oct(mode)[2:], "owner": f"{uid}/{gid}", "mtime": mtime}
    if kind == 1:
        assert mode >> 12 == 8
        line["size"], line["cksum"] = size, struct.unpack_from(">I", meta, 23)[0]
    else:
        assert kind == 2 and mode >> 12 == 4
    lines.append(line)
assert order == sorted(order), "the paths are not sorted by folder and name"

info = store.block(store.named["BomInfo"])
version, count, entries, cpu, _, total, _ = struct.unpack(">7I", info)
vindex = struct.unpack(">IIIB", store.block(store.named["VIndex"]))
json.dump({
    "paths": lines, "leaves": leaves, "names": list(store.named), "bominfo": [version, count, entries, cpu, total],
    "hardlinks": len(Tree(store, store.named["HLIndex"]).down()), "virtual": len(Tree(store, vindex[1]).down()),
}, sys.stdout)
