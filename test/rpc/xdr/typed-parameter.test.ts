import { describe, expect, test } from "bun:test";
import { array } from "../../../src/rpc/xdr/form.ts";
import {
  type TypedParameter,
  type TypedValue,
  typedParameter,
} from "../../../src/rpc/xdr/typed-parameter.ts";

function encoded(parameters: readonly TypedParameter[], most: number): string {
  const parts: Uint8Array[] = [];
  array(typedParameter, most).encode(parameters, parts);
  return Buffer.concat(parts).toString("hex");
}

function decoded(hex: string, most: number): readonly TypedParameter[] {
  return array(typedParameter, most).decode({ bytes: Uint8Array.fromHex(hex.replace(/\s/g, "")), at: 0 });
}

const FIELD = "00000001 61000000";

describe("a typed parameter", () => {
  // Numbers of the types: virTypedParameterType of libvirt-common.h. The double is the RFC's 1.0 by IEEE 754.
  const values: readonly [TypedValue, string][] = [
    [{ type: "int", value: -2 }, "00000001 fffffffe"],
    [{ type: "uint", value: 2 ** 32 - 1 }, "00000002 ffffffff"],
    [{ type: "llong", value: -1n }, "00000003 ffffffffffffffff"],
    [{ type: "ullong", value: 2n ** 64n - 1n }, "00000004 ffffffffffffffff"],
    [{ type: "double", value: 1 }, "00000005 3ff0000000000000"],
    [{ type: "boolean", value: true }, "00000006 00000001"],
    [{ type: "string", value: "ab" }, "00000007 00000002 61620000"],
  ];

  test.each(values.map(([value, hex]) => ({ type: value.type, value, hex })))(
    "has its name, the number of its type and its value: $type",
    ({ hex, value }) => {
      const bytes = `00000001 ${FIELD} ${hex}`;
      expect(encoded([{ field: "a", value }], 1)).toBe(bytes.replaceAll(" ", ""));
      expect(decoded(bytes, 1)).toEqual([{ field: "a", value }]);
    },
  );

  test.each([
    ["of a type that libvirt does not have", `00000001 ${FIELD} 00000008 00000000`],
    ["of no type", `00000001 ${FIELD} 00000000 00000000`],
    ["whose value is cut off", `00000001 ${FIELD} 00000004 00000000`],
    [
      "among more than the procedure allows",
      `00000002 ${FIELD} 00000001 00000000 ${FIELD} 00000001 00000000`,
    ],
    ["among more than the message has room for", "00000001 00000000 00000001"],
  ])("%s is refused", (_, hex) => {
    expect(() => decoded(hex, 1)).toThrow("Unable to decode message payload");
  });
});
