import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { directBoot } from "./boots.ts";
import { guestXml, withXml } from "./guest-xml.ts";
import { bootMachine, IMAGE, type Machine, startMachine, until } from "./machine.ts";
import { makeDhcpNetwork } from "./servers/dhcp.ts";
import { type NtpServer, serveNtp } from "./servers/ntp.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;
const MAC = "52:54:00:5e:11:c4";
/** Card of a guest that boots from the network: its iPXE asks for an address, then for a file. */
const CARD = `<interface type='bridge'><mac address='${MAC}'/><source bridge='br0'/><model type='virtio'/><boot order='1'/>
  </interface>`;

/** Network around the node: servers of the test, a bridge, and a clock that is years wrong. */
whereBuilt("the product's image, with a network around it", () => {
  const tftp = mkdtempSync(`${tmpdir()}/svirt-tftp-`);
  const log: string[] = [];
  const fetched: string[] = [];
  let machine: Machine;
  let ntp: NtpServer;
  let syslog: Awaited<ReturnType<typeof receiveLog>>;
  let web: ReturnType<typeof Bun.serve>;

  beforeAll(async () => {
    ntp = await serveNtp();
    syslog = await receiveLog(log);
    web = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        fetched.push(new URL(request.url).pathname);
        return new Response("#!ipxe\npoweroff\n");
      },
    });
    mkdirSync(tftp, { recursive: true });
    writeFileSync(`${tftp}/guest.ipxe`, `#!ipxe\nchain http://10.0.2.2:${web.port}/from/\${net0/mac}\n`);
    const words = `svirt.ntp=10.0.2.2 svirt.syslog=10.0.2.2:${syslog.port} svirt.bridge=br0`;
    const boot = directBoot(
      ({ admin }) => `svirt.key=${admin} ${words}`,
      ["-rtc", "base=2019-05-04T03:02:01"],
    );
    machine = await bootMachine((keys, folder) => ({
      ...boot(keys, folder),
      network: `,tftp=${tftp},bootfile=guest.ipxe`,
    }));
  }, 600_000);
  afterAll(async () => {
    await machine.stop();
    ntp.stop();
    syslog.close();
    await web.stop(true);
    rmSync(tftp, { recursive: true });
  });

  test("sets a clock that is seven years slow by the server of svirt.ntp=", async () => {
    expect(await machine.run("dmesg | grep -o 'setting system clock to [0-9-]*'")).toBe(
      "setting system clock to 2019-05-04\n",
    );
    await until(async () => (await secondsWrong(machine)) < 10);
    expect(await secondsWrong(machine)).toBeLessThan(10);
    expect(ntp.asked()).toBeGreaterThan(0);
    expect(await contextOf(machine, "ntpd")).toContain(":ntpd_t:");
  }, 300_000);

  test("starts the daemon of its clock again, which finds the socket that the killed one left", async () => {
    const daemons = "pidof ntpd || true";
    const before = (await machine.run(daemons)).split(/\s+/);
    // Its processes end with the first of them, before killall has come to them.
    await machine.run("killall -9 ntpd || true");
    const isNew = (pid: string): boolean => pid !== "" && !before.includes(pid);
    await until(async () => (await machine.run(daemons)).split(/\s+/).filter(isNew).length >= 3);
    expect((await machine.run(daemons)).split(/\s+/).filter(isNew).length).toBe(3);
  }, 300_000);

  test("sends its log to svirt.syslog= and keeps it as well", async () => {
    const login = /^<\d+>.*dropbear\[\d+\]: Pubkey auth succeeded for 'root'/m;
    await until(() => Promise.resolve(login.test(log.join("\n"))));
    expect(log.join("\n")).toMatch(login);
    expect(
      await machine.run("grep -c 'Pubkey auth succeeded' /var/log/messages >/dev/null && echo kept"),
    ).toBe("kept\n");
  }, 300_000);

  test("has its address on the bridge of svirt.bridge=, with the card in it", async () => {
    expect(await machine.run("ip -4 -o addr show br0")).toContain("inet 10.0.2.15/24");
    expect(await machine.run("ip -4 -o addr show eth0")).toBe("");
    expect(await machine.run("ls /sys/class/net/br0/brif")).toBe("eth0\n");
  });

  test("connects a guest to the bridge, which fetches what it boots from beyond it", async () => {
    await machine.run(withXml("svirt define -", guestXml("one", "kvm", CARD).replace("16384", "131072")));
    await machine.run("svirt start one");
    expect(await machine.run("ls /sys/class/net/br0/brif")).toMatch(/^eth0\nvnet\d+\n$/);
    expect(await machine.run("svirt audit")).toContain("No findings.");
    await until(() => Promise.resolve(fetched.length > 0));
    expect(fetched[0]).toBe(`/from/${MAC}`);
    await machine.run("svirt destroy one || true");
    expect(await machine.run("ls /sys/class/net/br0/brif")).toBe("eth0\n");
  }, 400_000);

  test("denies nothing of this", async () => {
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  });
});

whereBuilt("the product's image, on a network with a DHCP server of the test's own,", () => {
  test("asks the clock that DHCP names", async () => {
    const network = await makeDhcpNetwork();
    const card = ["-device", `virtio-net-pci,netdev=net1,mac=${MAC},romfile=`];
    const machine = await startMachine(
      directBoot(() => `BOOTIF=01-${MAC.replaceAll(":", "-")}`, [...network.words, ...card]),
    );
    try {
      await Promise.race([
        network.clockAsked,
        Bun.sleep(500_000).then(() => Promise.reject(new Error("not asked"))),
      ]);
    } catch (error) {
      throw new Error(`The node does not ask for the time:\n${(await machine.console()).slice(-3000)}`, {
        cause: error,
      });
    } finally {
      await machine.stop();
      network.stop();
    }
  }, 600_000);
});

async function receiveLog(log: string[]) {
  return await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: {
      data(_socket, line) {
        log.push(line.toString());
      },
    },
  });
}

async function secondsWrong(machine: Machine): Promise<number> {
  const there = Number(await machine.run("date +%s"));
  return Math.abs(there - Date.now() / 1000);
}

async function contextOf(machine: Machine, program: string): Promise<string> {
  return await machine.run(`cat /proc/$(pidof ${program} | cut -d ' ' -f 1)/attr/current`);
}
