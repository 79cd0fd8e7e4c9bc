import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { directBoot } from "./boots.ts";
import { bootMachine, IMAGE, type Machine } from "./machine.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;
/** Addresses of QEMU's user networking, which admits no other machine. */
const [ADDRESS, ROUTER] = ["10.0.2.15", "10.0.2.2"];

whereBuilt("the product's image, told its address by ip=", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await bootMachine(
      directBoot(({ admin }) => `svirt.key=${admin} ip=${ADDRESS}::${ROUTER}:255.255.255.0:told:eth0:none`),
    );
  }, 600_000);
  afterAll(async () => await machine.stop());

  test("has it, with the router and the name, and asks nobody for another", async () => {
    const said = await machine.run(
      "hostname; ip -4 addr show eth0; ip route; pidof udhcpc || echo nobody asks",
    );
    expect(said).toMatch(/^told\n/);
    expect(said).toContain(`inet ${ADDRESS}/24 `);
    expect(said).toContain(`default via ${ROUTER} dev eth0`);
    expect(said).toEndWith("nobody asks\n");
  });

  test("denies nothing of this", async () => {
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  });
});
