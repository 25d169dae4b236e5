package raft

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"

	"versiond/model"
)

// bbolt does not check its file when it opens it, and panics later on what it then finds, in part on
// goroutines of its own, where nobody can catch it. So the file is looked through before: the two roots
// and, from the newer one, every page of the trees, whether it is what it must be. Contents are not looked
// at; entries have sums of their own (entry_sum.go). It takes about as long as bbolt itself does to find
// the free pages.
//
// bbolt would go on from the older root if the newer one were damaged, and forget the last entries, or a
// vote. A root is 64 bytes in one sector, which disks write whole, so one that is wrong was not torn by a
// crash: the file is refused.
const (
	boltMagic      = 0xED0CDAED
	boltRootAt     = 16 // in the page
	boltRootSummed = 56
	boltPageHeader = 16
	boltElement    = 16
	boltBucketHead = 16
	boltBranch     = 0x01
	boltLeaf       = 0x02
	boltBucket     = 0x01 // flag of an element that is a tree of its own
	boltDepthMax   = 32
	boltIndex      = 8 // length of a key that is an index
)

// checkLogFile says what is wrong with the file, with an error that matches model.ErrCorrupt; nil also
// when there is none yet.
func checkLogFile(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	pages := &boltFile{file: file, size: info.Size(), seen: map[uint64]bool{}}
	root, err := pages.newestRoot()
	if err != nil {
		return err
	}
	return pages.check(root, keyRange{}, 0)
}

// boltFile is read page by page.
type boltFile struct {
	file     io.ReaderAt
	size     int64
	pageSize int64
	pages    uint64 // how many there are
	seen     map[uint64]bool
}

func (f *boltFile) damaged(page uint64, what string) error {
	return fmt.Errorf("%w: page %d %s", model.ErrCorrupt, page, what)
}

// newestRoot gives the page at which the tree begins.
func (f *boltFile) newestRoot() (root uint64, err error) {
	var newest uint64
	f.pageSize = int64(os.Getpagesize())
	for page := range uint64(2) {
		b := make([]byte, boltRootAt+64)
		if _, err := f.file.ReadAt(b, int64(page)*f.pageSize); err != nil {
			return 0, f.damaged(page, "cannot be read: "+err.Error())
		}
		b = b[boltRootAt:]
		sum := fnv.New64a()
		_, _ = sum.Write(b[:boltRootSummed]) // a hash never fails
		if binary.NativeEndian.Uint32(b) != boltMagic || binary.NativeEndian.Uint64(b[boltRootSummed:]) != sum.Sum64() {
			return 0, f.damaged(page, "is not a root")
		}
		if size := int64(binary.NativeEndian.Uint32(b[8:])); size != f.pageSize {
			return 0, f.damaged(page, fmt.Sprintf("says that pages have %d bytes, and on this machine they have %d", size, f.pageSize))
		}
		if transaction := binary.NativeEndian.Uint64(b[48:]); page == 0 || transaction > newest {
			newest, root, f.pages = transaction, binary.NativeEndian.Uint64(b[16:]), binary.NativeEndian.Uint64(b[40:])
		}
	}
	return root, nil
}

// keyRange is what the keys of a page must be in; without an end it goes on for ever.
type keyRange struct {
	from, end []byte
	length    int // of every key; 0 is any
}

func (r keyRange) holds(key []byte) bool {
	return (r.length == 0 || len(key) == r.length) && bytes.Compare(key, r.from) >= 0 && (r.end == nil || bytes.Compare(key, r.end) < 0)
}

// check looks at a page and all below it.
func (f *boltFile) check(page uint64, keys keyRange, depth int) error {
	b, kind, err := f.read(page)
	if err != nil {
		return err
	}
	if depth > boltDepthMax {
		return f.damaged(page, "is too far from the root")
	}
	return f.checkElements(page, b, kind, keys, func(below uint64, keys keyRange) error { return f.check(below, keys, depth+1) })
}

// read gives a page with what overflows it, and its kind.
func (f *boltFile) read(page uint64) (b []byte, kind uint16, err error) {
	if page < 2 || page >= f.pages || f.seen[page] {
		return nil, 0, f.damaged(page, "is not where it can be")
	}
	f.seen[page] = true
	head := make([]byte, boltPageHeader)
	if _, err := f.file.ReadAt(head, int64(page)*f.pageSize); err != nil {
		return nil, 0, f.damaged(page, "cannot be read: "+err.Error())
	}
	kind = binary.NativeEndian.Uint16(head[8:])
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head) != page || kind != boltBranch && kind != boltLeaf || page+more >= f.pages {
		return nil, 0, f.damaged(page, "is not what it must be")
	}
	if b, err = f.readWhole(page, int64(1+more)*f.pageSize); err != nil {
		return nil, 0, f.damaged(page, "cannot be read: "+err.Error())
	}
	return b, kind, nil
}

// readWhole asks for memory only for what is there.
func (f *boltFile) readWhole(page uint64, length int64) ([]byte, error) {
	at := int64(page) * f.pageSize
	if at+length > f.size {
		return nil, io.ErrUnexpectedEOF
	}
	b := make([]byte, length)
	_, err := f.file.ReadAt(b, at)
	return b, err
}

// checkElements wants the keys in order and in the range, and everything within the page.
func (f *boltFile) checkElements(page uint64, b []byte, kind uint16, keys keyRange, below func(uint64, keyRange) error) error {
	count := int(binary.NativeEndian.Uint16(b[10:]))
	if boltPageHeader+count*boltElement > len(b) {
		return f.damaged(page, "says that it holds more than it can")
	}
	end := keys.end // from the last element to the first: each ends where the next one begins
	for i := count - 1; i >= 0; i-- {
		key, child, err := f.element(page, b, boltPageHeader+i*boltElement, kind)
		if err != nil {
			return err
		}
		if !(keyRange{keys.from, end, keys.length}).holds(key) {
			return f.damaged(page, "holds keys out of order")
		}
		inside := keyRange{length: boltIndex} // the only bucket that gets pages of its own is that of the entries
		if kind == boltBranch {
			inside = keyRange{key, end, keys.length}
		}
		if end = key; child == 0 {
			continue
		}
		if err := below(child, inside); err != nil {
			return err
		}
	}
	return nil
}

// element gives the key of an element, and the page that it leads to, 0 when it leads to none.
func (f *boltFile) element(page uint64, b []byte, at int, kind uint16) (key []byte, child uint64, err error) {
	var position, keyLen, valueLen, flags uint32
	e := b[at : at+boltElement]
	if kind == boltBranch {
		position, keyLen, child = binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]), binary.NativeEndian.Uint64(e[8:])
	} else {
		flags, position = binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:])
		keyLen, valueLen = binary.NativeEndian.Uint32(e[8:]), binary.NativeEndian.Uint32(e[12:])
	}
	begin := int64(at) + int64(position)
	if begin+int64(keyLen)+int64(valueLen) > int64(len(b)) {
		return nil, 0, f.damaged(page, "holds an element that does not fit into it")
	}
	value := b[begin+int64(keyLen) : begin+int64(keyLen)+int64(valueLen)]
	switch {
	case flags&^boltBucket != 0, kind == boltBranch && child == 0:
		return nil, 0, f.damaged(page, "holds an element that is none")
	case flags == boltBucket && len(value) < boltBucketHead:
		return nil, 0, f.damaged(page, "holds a bucket that is none")
	case flags == boltBucket:
		if child = binary.NativeEndian.Uint64(value); child == 0 {
			err = f.checkInline(page, value[boltBucketHead:])
		}
	}
	return b[begin : begin+int64(keyLen)], child, err
}

// checkInline looks at a bucket that is so small that it lies in a value.
func (f *boltFile) checkInline(page uint64, b []byte) error {
	if len(b) < boltPageHeader || binary.NativeEndian.Uint16(b[8:]) != boltLeaf {
		return f.damaged(page, "holds a small bucket that is none")
	}
	return f.checkElements(page, b, boltLeaf, keyRange{}, func(uint64, keyRange) error { return f.damaged(page, "holds a small bucket with a bucket in it") })
}
