import { expect, test } from "bun:test";
import { domainXml, makeMachine, putText } from "../scenes/scene.ts";
import { runOn } from "./in-memory.ts";

const isThere = Bun.which("virsh") !== null;

// virsh makes the XML before it asks a server: libvirt's test driver is one without a daemon.
test
  .skipIf(!isThere)
  .each([
    "bridge br0",
    "network default --mac 52:54:00:00:00:01 --model virtio --alias ua-a",
    "bridge br0 --target t --mac 52:54:00:00:00:01 --model e1000 --inbound 100,200,5 --outbound 7,0,3",
    "network default --inbound 1",
    "network default --inbound 0,0,0,9",
  ])("attach-interface %s --print-xml prints what stock virsh prints", async (line) => {
  const words = [...line.split(" "), "--print-xml"];
  const virsh = Bun.spawnSync(["virsh", "-c", "test:///default", "attach-interface", "test", ...words]);
  const machine = makeMachine();
  putText(machine, "/vm.xml", new TextDecoder().decode(domainXml({})));
  await runOn(machine, "define", "/vm.xml");
  expect(await runOn(machine, "attach-interface", "vm1", ...words)).toEqual({
    code: virsh.exitCode,
    out: virsh.stdout.toString(),
    err: virsh.stderr.toString(),
  });
});

test("attach-interface gives the new interface its limits", async () => {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  putText(machine, "/vm.xml", new TextDecoder().decode(domainXml({})));
  await runOn(machine, "define", "/vm.xml");
  const limits = ["--inbound", "100,200,5", "--outbound", "7"];
  const words = [
    "attach-interface",
    "vm1",
    "bridge",
    "br0",
    "--mac",
    "52:54:00:00:00:01",
    "--config",
    ...limits,
  ];
  expect(await runOn(machine, ...words)).toMatchObject({ code: 0, err: "" });
  const { out } = await runOn(machine, "domiftune", "vm1", "52:54:00:00:00:01", "--config");
  expect(out).toMatch(/^inbound\.average: 100\ninbound\.peak +: 200\ninbound\.burst +: 5\n/);
  expect(out).toContain("outbound.average: 7\n");
  const bad = await runOn(machine, "attach-interface", "vm1", "bridge", "br0", "--outbound", "0,1");
  expect([bad.code, bad.err.split("\n")[0]]).toEqual([2, "error: outbound average is mandatory"]);
});
