import { describe, expect, test } from "bun:test";
import { resolveProgram } from "../../../src/resolve/places/host-program.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { asked, call, errorIn, maybe, word } from "../../rpc/remote-client.ts";
import { domainXml, errorOf, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

const OWN = "/usr/local/bin/qemu-own";

function withProgram(path: string, { mode = 0o755, uid = 0 } = {}): Machine {
  const machine = makeMachine();
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "file", { mode, uid });
  return machine;
}

const resolveOn = (machine: Machine, path: string): string => resolveProgram(nodeOn(machine).host, path);

test("resolveProgram() gives an installed program, by a symlink too", () => {
  const machine = withProgram(OWN);
  machine.files.put("/srv/link", "symlink", { target: OWN });
  expect(resolveOn(machine, OWN)).toBe(OWN);
  // The path that is checked is the one that is run: a later change of the link has no effect.
  expect(resolveOn(machine, "/srv/link")).toBe(OWN);
});

describe("resolveProgram() refuses", () => {
  test.each([
    ["a volume of a pool", "/var/lib/images/emulator"],
    ["a file in another place for guests", "/srv/emulator"],
    ["a file in a folder of all users", "/tmp/emulator"],
    ["a file in an administrator's own folder for data", "/data/emulator"],
  ])("%s", (_, path) => {
    const machine = withProgram(path);
    if (path.startsWith("/data"))
      machine.files.get("/data").xattrs.set("security.selinux", "system_u:object_r:default_t:s0");
    expect(() => resolveOn(machine, path)).toThrow(
      /^Cannot run [^:]+: .* is for guests' files, so it is not a program of the host$/,
    );
  });

  test.each(["/var/lib/images/emulator", "/srv/sub/emulator"])(
    "a program in %s, whatever its label",
    (path) => {
      const machine = withProgram(path);
      machine.files.get(path).xattrs.set("security.selinux", "system_u:object_r:qemu_exec_t:s0");
      expect(() => resolveOn(machine, path)).toThrow("is for guests' files");
      machine.files
        .get(path.slice(0, path.lastIndexOf("/")))
        .xattrs.set("security.selinux", "system_u:object_r:bin_t:s0");
      if (path.startsWith("/srv"))
        expect(() => resolveOn(machine, path)).toThrow("/srv is for guests' files");
    },
  );

  test("a program of another user, and one that others may write", () => {
    expect(() => resolveOn(withProgram(OWN, { uid: 1000 }), OWN)).toThrow(`${OWN} does not belong to root`);
    for (const mode of [0o775, 0o757])
      expect(() => resolveOn(withProgram(OWN, { mode }), OWN)).toThrow(
        `other users than its owner may write ${OWN}`,
      );
  });

  test.each(["/", "/usr", "/usr/local", "/usr/local/bin"])(
    "a program below a folder %s of another user",
    (folder) => {
      const machine = withProgram(OWN);
      machine.files.get(folder).mode = 0o775;
      expect(() => resolveOn(machine, OWN)).toThrow(`other users than its owner may write ${folder}`);
      machine.files.get(folder).mode = 0o755;
      machine.files.get(folder).uid = 1000;
      expect(() => resolveOn(machine, OWN)).toThrow(`${folder} does not belong to root`);
    },
  );

  test("what is no program", () => {
    expect(() => resolveOn(withProgram(OWN, { mode: 0o644 }), OWN)).toThrow(
      "it is not an executable program",
    );
    expect(() => resolveOn(makeMachine(), "/usr/bin")).toThrow("it is not an executable program");
    expect(() => resolveOn(makeMachine(), "/usr/bin/absent")).toThrow("it is not an executable program");
  });
});

describe("a program that a key has put into a pool is not run", () => {
  const PROGRAM = "/var/lib/images/emulator";
  const why = `Cannot run ${PROGRAM}: ${PROGRAM} is for guests' files`;

  function withRuns(): { machine: Machine; ran: string[] } {
    const machine = withProgram(PROGRAM);
    const ran: string[] = [];
    machine.readOutput = ([program = ""]) => {
      ran.push(program);
      return { text: "" };
    };
    return { machine, ran };
  }

  test("by a command", async () => {
    const { machine, ran } = withRuns();
    const bytes = new TextEncoder().encode(
      `SSH_ORIGINAL_COMMAND=svirt domcapabilities --emulatorbin ${PROGRAM}\0`,
    );
    machine.files.putFolder("/proc/self", 0o555);
    machine.files.put("/proc/self/environ", "file", { bytes });
    const said = await runOn(machine, "shell");
    expect([said.code, said.out, ran]).toEqual([5, "", []]);
    expect(said.err).toStartWith(`error: ${why}`);
  });

  test("by virConnectGetDomainCapabilities()", async () => {
    const { machine, ran } = withRuns();
    const packet = call(
      342,
      maybe(PROGRAM) + maybe(undefined) + maybe(undefined) + maybe(undefined) + word(0),
    );
    expect(errorIn(await asked({ ...nodeOn(machine), isForKey: true }, packet))?.message).toContain(why);
    expect(ran).toEqual([]);
  });

  test("as the emulator of a guest", async () => {
    const { machine } = withRuns();
    const before = snapshot(machine);
    const devices = `<emulator>${PROGRAM}</emulator>`;
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices })));
    expect([error.kind, error.message.startsWith(why)]).toEqual(["denied", true]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("by a symlink from a place that looks installed", async () => {
    const { machine } = withRuns();
    machine.files.put("/usr/bin/qemu-linked", "symlink", { target: PROGRAM });
    const devices = "<emulator>/usr/bin/qemu-linked</emulator>";
    expect((await errorOf(startDomain(nodeOn(machine), domainXml({ devices })))).message).toStartWith(why);
  });
});

test("a start runs the program that was inspected, not the symlink to it", async () => {
  const machine = withProgram(OWN);
  machine.files.put("/srv/link", "symlink", { target: OWN });
  await startDomain(nodeOn(machine), domainXml({ devices: "<emulator>/srv/link</emulator>" }));
  expect(machine.processes.qemuOf(UUID)?.order?.program).toBe(OWN);
});
