import { afterAll, beforeAll, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { blocksOf, firstMissing, sectionOf, typedIn } from "../readme/shown.ts";
import { openTerminal, type Terminal } from "../readme/terminal.ts";

// Types the commands of docs/guides/install.md at a stock Debian 13 with SELinux enforcing, and compares their output with the
// page. With SVIRT_STOCK_BARE=1 at one as the installer leaves it: from the first command on, with both boots.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const GUIDE = await Bun.file(`${ROOT}docs/guides/install.md`).text();
const PROMPT = "host# ";
const IS_BARE = process.env["SVIRT_STOCK_BARE"] === "1";
/** A command on an emulated machine that shares its processors: semodule compiles the whole policy. */
const PATIENCE_MS = 900_000;
const TEST_MS = 1_800_000;

/** Runs a command line and returns its standard output. Standard error goes to the test's. */
async function run(commandLine: string): Promise<{ readonly out: string; readonly code: number }> {
  const child = Bun.spawn(["bash", "-c", commandLine], { cwd: ROOT, stdin: "ignore", stderr: "inherit" });
  const [out, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { out, code };
}

const onHost = async (script: string) => await run(`scripts/stock-host ssh <<'END'\n${script}\nEND`);

let terminal: Terminal;
const login = async () => await openTerminal(`cd ${ROOT} && scripts/stock-host ssh`, PROMPT, PATIENCE_MS);

/** Types each command of a section and returns where its output differs from the page. */
async function typeSection(title: string): Promise<string> {
  const typed = typedIn(sectionOf(GUIDE, title), PROMPT);
  expect(typed.length).toBeGreaterThan(0);
  const faults: string[] = [];
  for (const { command, lines } of typed) {
    const out = command === "reboot" ? await reboot() : await terminal.type(command);
    // Commands without output on the page install packages, or have nothing to say.
    const missing = lines.length === 0 ? undefined : firstMissing(lines, out, true);
    if (missing !== undefined)
      faults.push(`${PROMPT}${command}\nprints:\n${out}\nthe page shows: ${missing}`);
  }
  return faults.join("\n");
}

/** The machine labels its files and boots once more before it answers with SELinux on. */
async function reboot(): Promise<string> {
  await onHost("systemctl reboot");
  await terminal.end();
  await Bun.sleep(10_000);
  const { code } = await run(
    "until scripts/stock-host wait && scripts/stock-host ssh 'test ! -e /.autorelabel && selinuxenabled'; do sleep 5; done",
  );
  expect(code).toBe(0);
  terminal = await login();
  return "";
}

beforeAll(async () => {
  expect((await run("scripts/build && scripts/stock-host stop")).code).toBe(0);
  expect((await run(`scripts/stock-host start ${IS_BARE ? "--bare" : ""}`)).code).toBe(0);
  terminal = await login();
}, TEST_MS);
afterAll(async () => {
  await run("scripts/stock-host stop");
}, 60_000);

if (IS_BARE) {
  test(
    "the guide turns SELinux on",
    async () => {
      expect(await typeSection("Turn SELinux on")).toBe("");
      expect((await onHost("getenforce")).out).toBe("Enforcing\n");
    },
    TEST_MS,
  );
}

test(
  "the guide installs svirt, and doctor finds no fault",
  async () => {
    const [build, copy] = blocksOf(sectionOf(GUIDE, "Build svirt, and copy it to the host"))[0] ?? [];
    expect(build).toBe("scripts/build");
    expect(copy).toContain("| ssh root@HOST ");
    expect((await run(copy?.replace("ssh root@HOST", "scripts/stock-host ssh") ?? "")).code).toBe(0);
    expect(await typeSection("Install svirt")).toBe("");
    expect(await typeSection("Check the host")).toBe("");
    const doctor = await onHost("svirt doctor");
    expect(doctor.out).not.toMatch(/^(failed|warning)/m);
    expect(doctor.code).toBe(0);
  },
  TEST_MS,
);

test(
  "a confined guest runs, and its labels are restored",
  async () => {
    const xml = blocksOf(sectionOf(GUIDE, "Run a confined guest")).find(([line]) =>
      line?.startsWith("<domain"),
    );
    await onHost(`cat >first.xml <<'XML'\n${xml?.join("\n")}\nXML`);
    expect(await typeSection("Run a confined guest")).toBe("");
    const { out } = await onHost(
      "svirt create first.xml >/dev/null; svirt audit >/dev/null; echo $?; svirt destroy first >/dev/null; svirt audit >/dev/null; echo $?",
    );
    expect(out).toBe("0\n0\n");
  },
  TEST_MS,
);

test(
  "a second run of the installation changes nothing, and nothing of svirt was denied",
  async () => {
    const again = await onHost("svirt/scripts/install-host");
    expect(again.code).toBe(0);
    expect(again.out).not.toMatch(/loading|replacing|label:|clients: .*->/);
    const { out } = await onHost("ausearch -m avc -ts boot 2>/dev/null | grep -E 'svirt|qemu' || true");
    expect(out).toBe("");
  },
  TEST_MS,
);

test(
  "a boot starts marked guests, and keeps the controllers of guests' control groups",
  async () => {
    await onHost("svirt define first.xml && svirt autostart first");
    await reboot();
    const { out } = await onHost(
      "systemctl is-active --wait svirt-recover.service; svirt domstate first; systemctl stop svirt-recover.service; svirt domstate first; systemctl start svirt-recover.service; svirt doctor | grep -v ^ok; svirt destroy first",
    );
    expect(out).toBe("active\nrunning\nrunning\nDomain 'first' destroyed\n");
  },
  TEST_MS,
);

test(
  "the way back leaves the host as it was",
  async () => {
    expect(await typeSection("Remove svirt")).toBe("");
    const { out } = await onHost(
      "semodule -l | grep svirt; ls /usr/bin/svirt /usr/local/bin/virt-ssh-helper /etc/systemd/system/svirt-recover.service 2>/dev/null; dpkg -V selinux-policy-default | grep virtual; restorecon -R -n -v /etc /usr/bin /var/lib/svirt /var/log/svirt | grep -E 'svirt|nsswitch|swtpm'",
    );
    expect(out).toBe("");
  },
  TEST_MS,
);
