import * as v from "valibot";
import { aNumber, aString } from "./plain-schemas.ts";

/** Host address and port of a guest's screen by VNC. */
export const display = v.strictObject({ address: aString, port: aNumber });
export type Display = v.InferOutput<typeof display>;
