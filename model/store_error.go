package model

// StoreError is what a node's database says when it answers with an error. It matches ErrStoreUnavailable.
type StoreError struct {
	// Detail has the database's own words, with its number, and what would help. Users are shown it.
	Detail string
	Cause  error
}

// Error implements error.
func (e *StoreError) Error() string { return e.Detail }

// Is makes errors.Is(err, ErrStoreUnavailable) hold.
func (e *StoreError) Is(target error) bool { return target == ErrStoreUnavailable }

// Unwrap returns the driver's error.
func (e *StoreError) Unwrap() error { return e.Cause }
