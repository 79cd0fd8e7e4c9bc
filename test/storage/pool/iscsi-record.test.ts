import { expect, test } from "bun:test";
import { recordPath } from "../../../src/storage/pool/iscsi/record.ts";

// Where iscsiadm 2.1.11 of Debian 13 writes the record of each portal.
test.each([
  ["192.0.2.1:3260,1", "192.0.2.1,3260,1/default"],
  ["[2001:db8::1]:3260,1", "2001:db8::1,3260,1/default"],
  ["host.example:3261,1", "host.example,3261,1/default"],
])("the record of the portal %s is %s", (portal, path) => {
  expect(recordPath("/var/lib/iscsi", { name: "iqn.a", portal })).toBe(`/var/lib/iscsi/nodes/iqn.a/${path}`);
});

test("the record of an interface has its name", () => {
  const target = { name: "iqn.a", portal: "h:1,1", iface: "svirt-1" };
  expect(recordPath("/etc/iscsi", target)).toBe("/etc/iscsi/nodes/iqn.a/h,1,1/svirt-1");
});
