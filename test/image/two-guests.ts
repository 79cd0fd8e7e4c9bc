import { expect } from "bun:test";
import { guestXml, withXml } from "./guest-xml.ts";
import type { Machine } from "./machine.ts";

/** Starts the guests "one", of this type, and "two", without KVM. Expects different levels and no denials. */
export async function expectTwoGuests(machine: Machine, type: "kvm" | "qemu"): Promise<void> {
  await machine.run(withXml("svirt create -", guestXml("one", type)));
  await machine.run(withXml("svirt create -", guestXml("two", "qemu")));
  const list = await machine.run("svirt list --name");
  expect(list.trim().split("\n").toSorted()).toEqual(["one", "two"]);
  const labels = (await machine.run("svirt dumpxml one; svirt dumpxml two")).matchAll(
    /<label>(.*)<\/label>/g,
  );
  const [one = "", two = ""] = [...labels].map(([, label]) => label);
  const domain = type === "kvm" ? "svirt_t" : "svirt_tcg_t";
  expect(one).toMatch(new RegExp(`^system_u:system_r:${domain}:s0:c\\d+,c\\d+$`));
  expect(two).toMatch(/^system_u:system_r:svirt_tcg_t:s0:c\d+,c\d+$/);
  expect(one.split(":s0")[1]).not.toBe(two.split(":s0")[1]);
  expect(await machine.run("svirt audit")).toContain("No findings.");
  expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
}

/** Powers the node off. Expects that it asks the guests to power off and ends them first. */
export async function expectPowerOff(machine: Machine): Promise<void> {
  await machine.run("poweroff");
  expect(await machine.ended()).toBe(0);
  expect(await machine.console()).toContain("Domain 'two'");
}
