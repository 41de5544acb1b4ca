// Package view turns a status.Snapshot into what people see: texts, the icon's name, the tray menu, the models of the
// windows, and the notifications with their manners (design: one card after a silent start, one toast per crossing, none
// for a flapping network). It is pure: the snapshot, the language and the time come in, values go out; it does no I/O and
// knows no toolkit. Where HideBalance is set, no amount leaves this package.
package view
