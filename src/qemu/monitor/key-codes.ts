/**
 * Keys of a standard keyboard: Linux's number, Linux's name, QEMU's name.
 * linux/input-event-codes.h, qemu.git qapi/ui.json QKeyCode
 */
const KEYS: readonly (readonly [number: number, linux: string, qcode: string])[] = [
  [1, "ESC", "esc"],
  ...["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"].map((key, at) => [at + 2, key, key] as const),
  [12, "MINUS", "minus"],
  [13, "EQUAL", "equal"],
  [14, "BACKSPACE", "backspace"],
  [15, "TAB", "tab"],
  ...letters(16, "QWERTYUIOP"),
  [26, "LEFTBRACE", "bracket_left"],
  [27, "RIGHTBRACE", "bracket_right"],
  [28, "ENTER", "ret"],
  [29, "LEFTCTRL", "ctrl"],
  ...letters(30, "ASDFGHJKL"),
  [39, "SEMICOLON", "semicolon"],
  [40, "APOSTROPHE", "apostrophe"],
  [41, "GRAVE", "grave_accent"],
  [42, "LEFTSHIFT", "shift"],
  [43, "BACKSLASH", "backslash"],
  ...letters(44, "ZXCVBNM"),
  [51, "COMMA", "comma"],
  [52, "DOT", "dot"],
  [53, "SLASH", "slash"],
  [54, "RIGHTSHIFT", "shift_r"],
  [55, "KPASTERISK", "kp_multiply"],
  [56, "LEFTALT", "alt"],
  [57, "SPACE", "spc"],
  [58, "CAPSLOCK", "caps_lock"],
  ...Array.from({ length: 10 }, (_, at) => [59 + at, `F${at + 1}`, `f${at + 1}`] as const),
  [69, "NUMLOCK", "num_lock"],
  [70, "SCROLLLOCK", "scroll_lock"],
  [71, "KP7", "kp_7"],
  [72, "KP8", "kp_8"],
  [73, "KP9", "kp_9"],
  [74, "KPMINUS", "kp_subtract"],
  [75, "KP4", "kp_4"],
  [76, "KP5", "kp_5"],
  [77, "KP6", "kp_6"],
  [78, "KPPLUS", "kp_add"],
  [79, "KP1", "kp_1"],
  [80, "KP2", "kp_2"],
  [81, "KP3", "kp_3"],
  [82, "KP0", "kp_0"],
  [83, "KPDOT", "kp_decimal"],
  [86, "102ND", "less"],
  [87, "F11", "f11"],
  [88, "F12", "f12"],
  [96, "KPENTER", "kp_enter"],
  [97, "RIGHTCTRL", "ctrl_r"],
  [98, "KPSLASH", "kp_divide"],
  [99, "SYSRQ", "sysrq"],
  [100, "RIGHTALT", "alt_r"],
  [102, "HOME", "home"],
  [103, "UP", "up"],
  [104, "PAGEUP", "pgup"],
  [105, "LEFT", "left"],
  [106, "RIGHT", "right"],
  [107, "END", "end"],
  [108, "DOWN", "down"],
  [109, "PAGEDOWN", "pgdn"],
  [110, "INSERT", "insert"],
  [111, "DELETE", "delete"],
  [125, "LEFTMETA", "meta_l"],
  [126, "RIGHTMETA", "meta_r"],
  [127, "COMPOSE", "compose"],
];

const QCODES: ReadonlyMap<string, string> = new Map(
  KEYS.flatMap(([number, linux, qcode]) => [
    [String(number), qcode],
    [`KEY_${linux}`, qcode],
  ]),
);

/** Returns QEMU's name of a key by Linux's name, `KEY_A`, or number, `30`; undefined if QEMU has none. */
export function qcodeOf(key: string): string | undefined {
  return QCODES.get(key);
}

function letters(first: number, row: string): (readonly [number, string, string])[] {
  return [...row].map((letter, at) => [first + at, letter, letter.toLowerCase()]);
}
