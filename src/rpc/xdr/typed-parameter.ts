import { undecodable } from "./bytes.ts";
import { double, type Form, hyper, int, string, struct, uhyper, uint, type ValueOf } from "./form.ts";

/** A value with its type in C. */
export type TypedValue =
  | { readonly type: "int" | "uint" | "double"; readonly value: number }
  | { readonly type: "llong" | "ullong"; readonly value: bigint }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string };

/** virTypedParameterType of libvirt's libvirt-common.h */
const NUMBERS: Readonly<Record<TypedValue["type"], number>> = {
  int: 1,
  uint: 2,
  llong: 3,
  ullong: 4,
  double: 5,
  boolean: 6,
  string: 7,
};
/** REMOTE_STRING_MAX of libvirt's remote_protocol.x */
const text = string(4_194_304);

/** The union of RFC 4506, section 4.15: a number for the kind of the next value. remote_typed_param_value */
const typedValue: Form<TypedValue> = {
  leastBytes: 2 * int.leastBytes,
  encode(typed, to) {
    int.encode(NUMBERS[typed.type], to);
    switch (typed.type) {
      case "int":
        return int.encode(typed.value, to);
      case "uint":
        return uint.encode(typed.value, to);
      case "llong":
        return hyper.encode(typed.value, to);
      case "ullong":
        return uhyper.encode(typed.value, to);
      case "double":
        return double.encode(typed.value, to);
      case "boolean":
        return int.encode(typed.value ? 1 : 0, to);
      case "string":
        return text.encode(typed.value, to);
    }
  },
  decode(from) {
    switch (int.decode(from)) {
      case NUMBERS.int:
        return { type: "int", value: int.decode(from) };
      case NUMBERS.uint:
        return { type: "uint", value: uint.decode(from) };
      case NUMBERS.llong:
        return { type: "llong", value: hyper.decode(from) };
      case NUMBERS.ullong:
        return { type: "ullong", value: uhyper.decode(from) };
      case NUMBERS.double:
        return { type: "double", value: double.decode(from) };
      case NUMBERS.boolean:
        return { type: "boolean", value: int.decode(from) !== 0 };
      case NUMBERS.string:
        return { type: "string", value: text.decode(from) };
      default:
        throw undecodable();
    }
  },
};

/** A value with its name and type. remote_typed_param */
export const typedParameter = struct({ field: text, value: typedValue });
export type TypedParameter = ValueOf<typeof typedParameter>;
