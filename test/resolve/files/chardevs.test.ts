import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  OTHER,
  orderOf,
  reapAll,
} from "../../scenes/scene.ts";

const TTY = "system_u:object_r:tty_device_t:s0";

function machineWithNodes(): Machine {
  const machine = makeMachine();
  machine.files.putFolder("/srv");
  machine.files.get("/srv").xattrs.set("security.selinux", ORIGINAL);
  for (const end of ["in", "out"]) machine.files.put(`/srv/pipe.${end}`, "fifo");
  machine.files.put("/dev/ttyS0", "character", { node: "4:64" }).xattrs.set("security.selinux", TTY);
  machine.files.put("/dev/null", "character", { node: "1:3" });
  return machine;
}

const serial = (type: string, path: string): string =>
  `<serial type='${type}'><source path='${path}'/></serial>`;
const socket = (path: string, mode: string): string =>
  `<serial type='unix'><source path='${path}' mode='${mode}'/></serial>`;
const SOCKET = socket("/srv/a.sock", "bind");

/**
 * Starts a guest, calls `look`, stops the guest, and expects the machine as before. It removes the serial
 * port's log.
 */
async function during(devices: string, look: (machine: Machine, image: string) => void): Promise<void> {
  const machine = machineWithNodes();
  const before = snapshot(machine);
  const planned = await planDomainStart(nodeOn(machine), domainXml({ devices }));
  expect(snapshot(machine)).toEqual(before);
  const { guest } = await startDomain(nodeOn(machine), domainXml({ devices }));
  expect(guest.steps.map((step) => step.do)).toEqual(planned.map((step) => step.do));
  look(machine, guest.label.imageLabel ?? "");
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  machine.files.remove("/srv/serial.log");
  expect(snapshot(machine)).toEqual(before);
}

describe("a start connects a guest to", () => {
  test("a device of the host, opened without waiting for the line", async () => {
    await during(serial("dev", "/dev/ttyS0"), (machine, image) => {
      expect(labelOf(machine, "/dev/ttyS0")).toBe(image);
      const { files, words } = orderOf(machine);
      const passed = files.find(({ file }) => file.path === "/dev/ttyS0");
      expect(passed).toMatchObject({ access: "read-write", nonBlocking: true });
      expect(words).toContain(`serial,id=charserial0,path=/dev/fdset/${passed?.fd}`);
    });
  });

  test("a pipe", async () => {
    await during(serial("pipe", "/srv/pipe"), (machine, image) => {
      const { files, words } = orderOf(machine);
      const fdOf = (path: string, access: string) =>
        files.find((passed) => passed.file.path === path && passed.access === access)?.fd;
      const [input, output] = [fdOf("/srv/pipe.in", "read-only"), fdOf("/srv/pipe.out", "append")];
      for (const end of ["in", "out"]) expect(labelOf(machine, `/srv/pipe.${end}`)).toBe(image);
      const ends = `path=/dev/fdset/${output},append=on,input-path=/dev/fdset/${input}`;
      expect(words).toContain(`file,id=charserial0,${ends}`);
    });
  });

  test("a terminal with a log, which is the guest's own", async () => {
    await during(`<serial type='pty'><log file='/srv/serial.log'/></serial>`, (machine, image) => {
      expect(labelOf(machine, "/srv/serial.log")).toBe(image);
      const { files, words } = orderOf(machine);
      const log = files.find(({ file }) => file.path === "/srv/serial.log");
      expect(log).toMatchObject({ access: "append", truncate: true });
      expect(words).toContain(`pty,id=charserial0,logfile=/dev/fdset/${log?.fd},logappend=on`);
      expect(words.join(" ")).not.toContain("opaque=");
    });
  });

  test("a socket where the XML wants it, with the guest's label, and gone with the guest", async () => {
    await during(SOCKET, (machine, image) => {
      expect(labelOf(machine, "/srv/a.sock")).toBe(image);
      expect(orderOf(machine).sockets[1]).toMatchObject({ fd: 4, path: "/srv/a.sock", label: image });
      expect(orderOf(machine).words).toContain("socket,id=charserial0,fd=4,server=on,wait=off");
    });
  });

  test("a socket that is not to be labelled", async () => {
    const kept =
      "<serial type='unix'><source mode='bind' path='/srv/a.sock'><seclabel model='selinux' relabel='no'/></source></serial>";
    await during(kept, (machine) => expect(labelOf(machine, "/srv/a.sock")).toBe(ORIGINAL));
  });
});

describe("a start is refused", () => {
  test.each(["/srv/", "/srv/.", "/x.sock", "/nowhere/x.sock", "/srv/x.sock/y"])(
    "where a socket is to be at %s, which is no name in a folder",
    async (path) => {
      const devices = `<serial type='unix'><source mode='bind' path='${path}'/></serial>`;
      expect(await failedStart(machineWithNodes(), { devices })).toMatchObject({
        kind: "not-found",
        message: expect.stringMatching(/^Cannot listen at .* does not exist or may not be used$/),
      });
    },
  );

  test("where another guest listens, whose socket stays", async () => {
    const machine = machineWithNodes();
    const { guest } = await startDomain(nodeOn(machine), domainXml({ devices: SOCKET }));
    const error = await failedStart(machine, { name: "vm2", uuid: OTHER, devices: SOCKET });
    expect(error.kind).toBe("in-use");
    expect(labelOf(machine, "/srv/a.sock")).toBe(guest.label.imageLabel ?? "");
  });

  test.each(["file", "socket"] as const)("where a %s is already, which stays", async (type) => {
    const machine = machineWithNodes();
    machine.files.put("/srv/a.sock", type);
    const error = await failedStart(machine, { devices: SOCKET });
    expect([error.kind, error.message]).toEqual([
      "in-use",
      expect.stringContaining(`a ${type} exists there`),
    ]);
  });

  test.each([
    ["a device that every program uses", serial("dev", "/dev/null"), "every program of the host uses it"],
    ["a disk as a line", serial("dev", "/dev/vdb"), "it is a block, not a character device"],
    ["a device that is not there", serial("dev", "/dev/ttyS9"), "No such file"],
    ["a pipe without its two ends", serial("pipe", "/srv/one"), "/srv/one.in: it is missing, not a pipe"],
    [
      "a log among the host's files",
      `<serial type='pty'><log file='/etc/log'/></serial>`,
      "belongs to the host",
    ],
    ["a socket among the host's files", socket("/etc/a.sock", "bind"), "belongs to the host"],
    ["a socket without a folder", socket("/nosuch/a.sock", "bind"), "does not exist or may not be used"],
    ["two sockets in one place", SOCKET + SOCKET, "two of its devices name that path"],
    ["a socket that nobody has made", socket("/srv/a.sock", "connect"), "the socket does not exist"],
    ["a file as a socket", socket("/var/lib/images/base.raw", "connect"), "it is a file, not a socket"],
  ])("for %s", async (_, devices, message) => {
    const machine = machineWithNodes();
    const before = snapshot(machine);
    expect((await errorOf(planDomainStart(nodeOn(machine), domainXml({ devices })))).message).toContain(
      message,
    );
    expect(snapshot(machine)).toEqual(before);
    expect((await failedStart(machine, { devices })).message).toContain(message);
  });
});

test("a socket that somebody else has put in its place stays", async () => {
  const machine = machineWithNodes();
  await startDomain(nodeOn(machine), domainXml({ devices: SOCKET }));
  machine.files.put("/srv/a.sock", "socket").xattrs.set("security.selinux", ORIGINAL);
  await destroyDomain(nodeOn(machine), "vm1");
  expect(labelOf(machine, "/srv/a.sock")).toBe(ORIGINAL);
});
