package ledger

import "context"

// Sweep voids expired holds now, through the writer.
func Sweep(ctx context.Context, l *Ledger) (int, error) {
	return submit(ctx, l, func(ctx context.Context, b *book) (int, error) { return b.voidExpired(ctx) })
}

// Anchor writes today's anchor now, through the writer.
func Anchor(ctx context.Context, l *Ledger) error {
	_, err := submit(ctx, l, func(ctx context.Context, b *book) (struct{}, error) { return struct{}{}, b.anchor(ctx) })
	return err
}

// VerifyWithRest is Verify with something else than time between its pieces.
func VerifyWithRest(ctx context.Context, l *Ledger, rest func(context.Context) error) error {
	_, err := l.verify(ctx, nil, rest)
	return err
}
