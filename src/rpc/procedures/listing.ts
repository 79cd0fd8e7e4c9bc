import { array, type Form, int, struct, uint } from "../xdr/form.ts";
import { LIST_MAX } from "./objects.ts";

/**
 * Arguments of procedures that list the objects of a connection. `needsResults`: 0 if the client asks for
 * their number alone.
 */
export const listAsked = struct({ needsResults: int, flags: uint });

/**
 * Result of procedures listing objects: of remote_protocol.x the forms with `need_results`, whatever they
 * call the objects.
 */
export function listing<Value>(form: Form<Value>, most = LIST_MAX) {
  return struct({ objects: array(form, most), count: uint });
}

/** Returns the objects as a client asks for them. */
export function listOf<Value>({ needsResults }: { readonly needsResults: number }, all: readonly Value[]) {
  return { objects: needsResults === 0 ? [] : all, count: all.length };
}
