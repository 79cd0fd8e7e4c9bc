/**
 * holder HOW PATH: holds a file, or a tap of that name, only in that way, reports it, and runs until it is
 * killed.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { lockImage } from "../../../../src/host/linux/content/image-lock.ts";
import { sendFile } from "../../../../src/host/linux/sockets/send-file.ts";

const { i32, i64, u32, u64 } = FFIType;
const pointer = FFIType.ptr;
const { symbols } = dlopen("libc.so.6", {
  bind: { args: [i32, pointer, u32], returns: i32 },
  connect: { args: [i32, pointer, u32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  pipe: { args: [pointer], returns: i32 },
  mmap: { args: [pointer, u64, i32, i32, i32, i64], returns: u64 },
  munmap: { args: [u64, u64], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  socketpair: { args: [i32, i32, i32, pointer], returns: i32 },
  syscall: { args: [i64, i64, i64, i64, i64], returns: i64 },
});
const SYS_IOCTL = 16n;
/** Request of linux/if_tun.h; struct ifreq of linux/if.h */
const TUNSETIFF = 0x400454can;
const IFF_TAP_NO_PI = 0x1002;
const IFREQ_BYTES = 40;
const IFREQ_FLAGS_AT = 16;
const SYS_EXIT = 60n;
const SYS_SPLICE = "275 ";
const SYS_IO_URING_SETUP = 425n;
const SYS_IO_URING_REGISTER = 427n;
const IORING_REGISTER_BUFFERS = 0n;
const IORING_REGISTER_FILES = 2n;
const CLONE_FILES = 0x400;
const O_PATH = 0o10000000;
const [PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE] = [1, 2, 1, 2];
const PAGE = 4096n;
const [, , how = "", path = ""] = process.argv;

const WAYS: Readonly<Record<string, () => void>> = {
  reading: () => void openSync(path, "r"),
  writing: () => void openSync(path, "r+"),
  path: () => void openSync(path, O_PATH),
  mapping: () => void map("r+", PROT_READ | PROT_WRITE, MAP_SHARED),
  "private mapping": () => void map("r+", PROT_READ | PROT_WRITE, MAP_PRIVATE),
  "mapping to read": () => void map("r", PROT_READ, MAP_SHARED),
  // mprotect(2) can make this mapping writable at any time.
  "sleeping mapping": () => void map("r+", PROT_READ, MAP_SHARED),
  thread: () => {
    const fd = openSync(path, "r+");
    new Worker(unsharedThread()).onmessage = () => {
      closeSync(fd);
      holds();
    };
  },
  "last thread": () => {
    openSync(path, "r+");
    leaveToThread();
  },
  "mapping of the last thread": () => {
    map("r+", PROT_READ, MAP_SHARED);
    leaveToThread();
  },
  message: () => {
    const pair = new Int32Array(2);
    symbols.socketpair(1, 1, 0, ptr(pair));
    send(pair[0] ?? -1);
  },
  "message to a caller": () => {
    const address = new TextEncoder().encode(`\u0001\0\0svirt-holder-${process.pid}`);
    const [listener, caller] = [symbols.socket(1, 1, 0), symbols.socket(1, 1, 0)];
    symbols.bind(listener, ptr(address), address.length);
    symbols.listen(listener, 5);
    symbols.connect(caller, ptr(address), address.length);
    send(caller);
  },
  ring: () => {
    const ring = symbols.syscall(SYS_IO_URING_SETUP, 4n, BigInt(ptr(new Uint8Array(120))), 0n, 0n);
    const fds = new Int32Array([openSync(path, "r+")]);
    const done = symbols.syscall(SYS_IO_URING_REGISTER, ring, IORING_REGISTER_FILES, BigInt(ptr(fds)), 1n);
    if (done !== 0n) throw new Error("no file can be registered with a ring");
    closeSync(fds[0] ?? -1);
  },
  // Only the ring keeps the file's page: no descriptor or mapping is left.
  buffer: () => {
    const ring = symbols.syscall(SYS_IO_URING_SETUP, 4n, BigInt(ptr(new Uint8Array(120))), 0n, 0n);
    const at = map("r+", PROT_READ | PROT_WRITE, MAP_SHARED);
    const vector = new BigUint64Array([at, PAGE]);
    const done = symbols.syscall(
      SYS_IO_URING_REGISTER,
      ring,
      IORING_REGISTER_BUFFERS,
      BigInt(ptr(vector)),
      1n,
    );
    if (done !== 0n) throw new Error("no buffer can be registered with a ring");
    if (symbols.munmap(at, PAGE) !== 0) throw new Error("still mapped");
  },
  // Only the system call keeps the file then: no descriptor is left.
  "splicing thread": async () => {
    const [fd, pipe] = [openSync(path, "r+"), new Int32Array(2)];
    await lockImage(fd, path, { as: "writer", isFirst: true });
    symbols.pipe(ptr(pipe));
    new Worker(splicingThread(pipe[0] ?? -1, fd)).onmessage = () => {
      const timer = setInterval(() => {
        if (!isSplicing()) return;
        clearInterval(timer);
        closeSync(fd);
        holds();
      }, 10);
    };
  },
  tap: () => {
    const request = new Uint8Array(IFREQ_BYTES);
    request.set(new TextEncoder().encode(path));
    new DataView(request.buffer).setUint16(IFREQ_FLAGS_AT, IFF_TAP_NO_PI, true);
    const fd = openSync("/dev/net/tun", "r+");
    if (symbols.syscall(SYS_IOCTL, BigInt(fd), TUNSETIFF, BigInt(ptr(request)), 0n) !== 0n)
      throw new Error("no tap can be made");
  },
  nothing: () => closeSync(openSync(path, "r+")),
};

/** Maps the file and returns the address of the mapping. */
function map(flags: string, protection: number, kind: number): bigint {
  const fd = openSync(path, flags);
  const at = symbols.mmap(null, PAGE, protection, kind, fd, 0n);
  if (at === 2n ** 64n - 1n) throw new Error("not mapped");
  closeSync(fd);
  return at;
}

function send(socket: number): void {
  const fd = openSync(path, "r+");
  sendFile(socket, "x", fd);
  closeSync(fd);
}

/**
 * Returns the script of a thread whose own descriptor table keeps the descriptor that the first thread
 * closes.
 */
function unsharedThread(): string {
  const words = `
    import { dlopen } from "bun:ffi";
    const { symbols } = dlopen("libc.so.6", { unshare: { args: ["i32"], returns: "i32" } });
    if (symbols.unshare(${CLONE_FILES}) !== 0) throw new Error("not unshared");
    postMessage("unshared");
    setInterval(() => {}, 1000);
  `;
  return `data:text/javascript,${encodeURIComponent(words)}`;
}

function splicingThread(from: number, to: number): string {
  const words = `
    import { dlopen } from "bun:ffi";
    const { symbols } = dlopen("libc.so.6", {
      splice: { args: ["i32", "ptr", "i32", "ptr", "u64", "u32"], returns: "i64" },
    });
    postMessage("splices");
    symbols.splice(${from}, null, ${to}, null, 512n, 0);
  `;
  return `data:text/javascript,${encodeURIComponent(words)}`;
}

/** Returns whether a thread is in splice(2). proc_pid_syscall(5) */
function isSplicing(): boolean {
  return readdirSync("/proc/self/task").some((thread) =>
    readFileSync(`/proc/self/task/${thread}/syscall`, "latin1").startsWith(SYS_SPLICE),
  );
}

function leaveToThread(): void {
  new Worker("data:text/javascript,postMessage(1);setInterval(()=>{},1000)").onmessage = () => {
    holds();
    symbols.syscall(SYS_EXIT, 0n, 0n, 0n, 0n);
  };
}

function holds(): void {
  process.stdout.write("holds\n");
}

const way = WAYS[how];
if (way === undefined) throw new Error(`no such way: ${how}`);
way();
if (!how.includes("thread")) holds();
setInterval(() => undefined, 1000);
