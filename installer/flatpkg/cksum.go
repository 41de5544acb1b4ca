package flatpkg

// cksum is the checksum of cksum(1) (POSIX.1-2017): CRC-32 with polynomial 0x04C11DB7, most significant bit first, over the
// content and then over its length; inverted at the end. hash/crc32 has only reflected ones.
type cksum struct {
	crc uint32
	n   uint64
}

var cksumTable = func() (table [256]uint32) {
	for i := range table {
		c := uint32(i) << 24
		for range 8 {
			if c&0x80000000 != 0 {
				c = c<<1 ^ 0x04C11DB7
			} else {
				c <<= 1
			}
		}
		table[i] = c
	}
	return table
}()

func (s *cksum) Write(p []byte) (int, error) {
	crc := s.crc
	for _, b := range p {
		crc = crc<<8 ^ cksumTable[byte(crc>>24)^b]
	}
	s.crc, s.n = crc, s.n+uint64(len(p))
	return len(p), nil
}

// Sum32 ends the checksum with the length, in as many bytes as it needs, the least first.
func (s *cksum) Sum32() uint32 {
	crc := s.crc
	for n := s.n; n > 0; n >>= 8 {
		crc = crc<<8 ^ cksumTable[byte(crc>>24)^byte(n)]
	}
	return ^crc
}
