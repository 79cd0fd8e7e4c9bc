import { beforeEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { undefineDomain } from "../../../src/vm/define/undefine.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  domainXml,
  errorOf,
  failedStart,
  folderLabelOf,
  labelOf,
  makeMachine,
  nodeOn,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";

const TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>";
const STATE = `/var/lib/svirt/tpm/${UUID}`;
const PERMANENT = `${STATE}/tpm2-00.permall`;
const OWN = "system_u:object_r:svirt_var_lib_t:s0";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  machine.files.putFolder("/var/lib/svirt").xattrs.set("security.selinux", OWN);
});

const start = (devices = TPM) => startDomain(nodeOn(machine), domainXml({ devices }));
const helper = () => machine.processes.list().find(({ command }) => command === "swtpm");

/** Writes swtpm's state, with the owner and label that a new file gets there. */
function writeState(): void {
  const folder = machine.files.get(STATE);
  machine.files.put(PERMANENT, "file", { uid: folder.uid, bytes: new Uint8Array(9) });
}

describe("a guest with an emulated TPM", () => {
  test("has its emulator as its own user, in its own context, on a socket in its own folder", async () => {
    await start();
    const record = readRecord(nodeOn(machine), UUID);
    const qemu = machine.processes.qemuOf(UUID);
    expect(helper()).toMatchObject({ uid: record?.uid, context: record?.label.label });
    const socket = `/run/svirt/${UUID}/guest/swtpm.sock`;
    expect(helper()?.words).toContain(`type=unixio,path=${socket},mode=0600`);
    expect(helper()?.words).toContain("--tpm2");
    // -chardev and -tpmdev as in libvirt's tpm-emulator.x86_64-latest.args.
    expect(qemu?.words).toContain(`socket,id=chrtpm,path=${socket}`);
    expect(qemu?.words).toContain("emulator,id=tpm-tpm0,chardev=chrtpm");
    expect(qemu?.words).toContain('{"driver":"tpm-crb","tpmdev":"tpm-tpm0","id":"tpm0"}');
  });

  test("has a state that is its own while it runs, and root's with svirt's label otherwise", async () => {
    await start();
    const record = readRecord(nodeOn(machine), UUID);
    expect([labelOf(machine, STATE), machine.files.get(STATE).uid]).toEqual([
      folderLabelOf(record),
      record?.uid,
    ]);
    writeState();
    await destroyDomain(nodeOn(machine), "vm1");
    expect([labelOf(machine, STATE), labelOf(machine, PERMANENT)]).toEqual([OWN, OWN]);
    expect([machine.files.get(STATE).uid, machine.files.get(PERMANENT).uid]).toEqual([0, 0]);
    await start();
    const again = readRecord(nodeOn(machine), UUID);
    expect(labelOf(machine, PERMANENT)).toBe(folderLabelOf(again));
    expect(machine.files.get(PERMANENT).uid).toBe(again?.uid ?? 0);
  });

  test("takes it along when it ends by itself", async () => {
    await start();
    machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, 0);
    await reapAll(machine);
    expect(helper()).toBeUndefined();
    expect(labelOf(machine, STATE)).toBe(OWN);
  });

  test("is not started when its emulator ends", async () => {
    machine.helperEnds = true;
    const error = await failedStart(machine, { devices: TPM });
    expect(error.message).toBe("Cannot start /usr/bin/swtpm: it ended with status 1");
  });

  test.each([
    ["<encryption secret='6dd3e4a5-1d76-44ce-961f-f119f5aad935'/>", "encryption"],
    ["<profile name='default-v1'/>", "profile"],
    ["<active_pcr_banks><sha256/></active_pcr_banks>", "active_pcr_banks"],
  ])("is refused with %s, which svirt would not do", async (inside, name) => {
    const devices = TPM.replace("version='2.0'/>", `version='2.0'>${inside}</backend>`);
    const error = await failedStart(machine, { devices });
    expect(error).toMatchObject({ kind: "unsupported" });
    expect(error.message).toStartWith(`Cannot start the guest: /domain/devices/tpm/backend/${name}: `);
  });
});

// https://libvirt.org/formatdomain.html#tpm-device persistent_state
describe("the memory of a TPM", () => {
  const define = (devices: string) => defineDomain(nodeOn(machine), domainXml({ devices }));
  const run = async (): Promise<void> => {
    await startDomain(nodeOn(machine), domainXml({ devices: TPM }));
    writeState();
    await destroyDomain(nodeOn(machine), "vm1");
  };

  test("goes with the definition", async () => {
    await define(TPM);
    await run();
    await undefineDomain(nodeOn(machine), "vm1");
    expect(machine.files.find(STATE)).toBeUndefined();
  });

  test("stays if the XML says so", async () => {
    await define(TPM.replace("version", "persistent_state='yes' version"));
    await run();
    await undefineDomain(nodeOn(machine), "vm1");
    expect(machine.files.find(PERMANENT)).toBeDefined();
  });

  test("stays while a guest uses it", async () => {
    await define(TPM);
    await start();
    await undefineDomain(nodeOn(machine), "vm1");
    expect(machine.files.find(STATE)).toBeDefined();
  });
});

test("no other guest's start touches it", async () => {
  await start();
  const before = snapshot(machine).filter((line) => line.includes("/tpm/"));
  const other = domainXml({ name: "vm2", uuid: UUID.replace(/1$/, "2"), devices: TPM });
  machine.helperEnds = true;
  await errorOf(startDomain(nodeOn(machine), other));
  expect(snapshot(machine).filter((line) => line.includes(`/tpm/${UUID}`))).toEqual(before);
});
