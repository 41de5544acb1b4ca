// Package aadsts reads what Microsoft Entra ID says when it says no: the error object of its token endpoint and the error
// it appends to a redirect. It is pure; client and server both use it.
//
// Microsoft's documentation warns that numbers (AADSTS50076) may change and that programs must not depend on them. So the OAuth
// error, the suberror and the claims decide first what kind of refusal it is (classOf); a number only says more exactly
// which of the kinds that fit, and chooses the wording. What is not known keeps its number and its trace id, which is all that
// Microsoft's support asks for.
//
// Descriptions are never kept: they name people.
package aadsts
