import { describe, expect, test } from "bun:test";
import {
  asSvirtError,
  type ErrorKind,
  joinErrors,
  listErrors,
  SvirtError,
  throwErrors,
} from "../src/errors.ts";

const remedy = "Try again.";

function libvirtOf(kind: ErrorKind): string {
  const { code, domain, name } = new SvirtError("Cannot do it: it is not possible", { kind, remedy }).libvirt;
  return `${name} ${code} ${domain}`;
}

describe("an error's libvirt error", () => {
  // Written from include/libvirt/virterror.h of libvirt 11.3.
  test.each<[ErrorKind, string]>([
    ["failed", "VIR_ERR_INTERNAL_ERROR 1 10"],
    ["host-call", "VIR_ERR_SYSTEM_ERROR 38 10"],
    ["no-access", "VIR_ERR_SYSTEM_ERROR 38 10"],
    ["usage", "VIR_ERR_INVALID_ARG 8 10"],
    ["xml", "VIR_ERR_XML_ERROR 27 20"],
    ["unsupported", "VIR_ERR_CONFIG_UNSUPPORTED 67 20"],
    ["not-found", "VIR_ERR_SYSTEM_ERROR 38 10"],
    ["wrong-state", "VIR_ERR_OPERATION_INVALID 55 10"],
    ["denied", "VIR_ERR_ACCESS_DENIED 88 24"],
    ["in-use", "VIR_ERR_RESOURCE_BUSY 87 24"],
    ["timeout", "VIR_ERR_OPERATION_TIMEOUT 68 10"],
    ["partly", "VIR_ERR_OPERATION_FAILED 9 10"],
  ])("is that of its kind: %s is %s", (kind, expected) => {
    expect(libvirtOf(kind)).toBe(expected);
  });

  test.each([
    ["NO_CONNECT", 5, 0],
    ["OPERATION_DENIED", 29, 20],
    ["XML_DETAIL", 35, 20],
    ["RPC", 39, 7],
    ["NO_DOMAIN", 42, 10],
    ["NO_NETWORK", 43, 19],
    ["NO_STORAGE_VOL", 50, 18],
    ["ARGUMENT_UNSUPPORTED", 74, 10],
    ["BLOCK_COPY_ACTIVE", 83, 10],
    ["OPERATION_UNSUPPORTED", 84, 10],
    ["AGENT_UNRESPONSIVE", 86, 10],
    ["DEVICE_MISSING", 99, 10],
  ] as const)("is the named one: %s is %d of domain %d", (libvirt, code, domain) => {
    const error = new SvirtError("Cannot do it: it is not possible", { kind: "failed", libvirt, remedy });
    expect(error.libvirt).toEqual({ name: `VIR_ERR_${libvirt}`, code, domain });
  });

  const missing = new SvirtError("failed to get domain 'a'", {
    kind: "not-found",
    libvirt: "NO_DOMAIN",
    remedy,
  });

  // bridge_driver.c, storage_driver.c, domain_conf.c and virnetserverprogram.c of libvirt report numbers that
  // others report too.
  test.each([
    ["NETWORK", 19],
    ["STORAGE", 18],
    ["DOMAIN", 20],
    ["RPC", 7],
  ] as const)("has the domain that reports it: %s is %d", (from, domain) => {
    const error = new SvirtError("Requested operation is not valid: it is off", {
      kind: "wrong-state",
      from,
      remedy,
    });
    expect(error.libvirt).toEqual({ name: "VIR_ERR_OPERATION_INVALID", code: 55, domain });
    const later = new SvirtError("Cannot start it", { kind: "wrong-state", remedy, cause: error });
    expect(later.libvirt).toEqual(error.libvirt);
  });

  test("is that of its cause, if both are of one kind", () => {
    const same = new SvirtError("Cannot do it: it is not there", {
      kind: "not-found",
      remedy,
      cause: missing,
    });
    const other = new SvirtError("Cannot do it: it is not there", { kind: "failed", remedy, cause: missing });
    expect([same.libvirt.name, other.libvirt.name]).toEqual(["VIR_ERR_NO_DOMAIN", "VIR_ERR_INTERNAL_ERROR"]);
  });

  test("stays with an error that others join", () => {
    expect(joinErrors(missing, [new Error("no space left")]).libvirt.code).toBe(42);
    const several = thrownBy(() => throwErrors([missing, asSvirtError(new Error("no space left"))]));
    expect(asSvirtError(several).libvirt.code).toBe(42);
    expect(listErrors(several).map(({ libvirt }) => libvirt.code)).toEqual([42, 1]);
  });
});

function thrownBy(act: () => void): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
