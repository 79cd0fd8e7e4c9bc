import * as v from "valibot";
import { aNumber, aString } from "./plain-schemas.ts";

/** A port of the host's on which a guest's screen is to be had by VNC. */
export const display = v.strictObject({ address: aString, port: aNumber });
export type Display = v.InferOutput<typeof display>;
