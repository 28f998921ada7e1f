// Runs a client's scenarios one after the other, each with a deadline, and prints a JSON line for each of them.

const assert = require("node:assert/strict");

const DEADLINE = 10_000; // ms: nothing here takes more than tenths of a second
const all = [];

/** Add a scenario; `needs` are features that WELCOME must announce ("dealer.call_canceling"), else it isn't run. */
exports.scenario = (name, needs, body) => all.push({ name, needs, body });

/** Fail unless the promise rejects; return what with. */
exports.refused = async (promise) => {
  try {
    await promise;
  } catch (reason) {
    return reason;
  }
  throw new assert.AssertionError({ message: "this should have been refused" });
};

/** Return a promise of the first `count` values that are put into it. */
exports.collect = (count) => {
  const values = [];
  let enough;
  const promise = new Promise((resolve) => {
    enough = resolve;
  });
  const put = (value) => {
    values.push(value);
    if (values.length === count) enough(values);
  };
  return { values, promise, put };
};

exports.pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function within(ms, promise) {
  return Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`nothing for ${ms} ms`)), ms)),
  ]);
}

// A client may reject promises that nobody waits for when its connection ends; what a scenario waits for says enough.
process.on("unhandledRejection", () => {});

/** Run everything; `roles` are those of WELCOME. */
exports.run = async (roles) => {
  for (const { name, needs, body } of all) {
    const missing = needs.filter((need) => {
      const [role, feature] = need.split(".");
      return !roles[role]?.features?.[feature];
    });
    let said = { name, result: "passed" };
    if (missing.length) said = { name, result: "not announced", why: missing.join(", ") };
    else {
      try {
        await within(DEADLINE, body());
      } catch (reason) {
        said = { name, result: "failed", why: reason?.stack ?? JSON.stringify(reason) };
      }
    }
    console.log(JSON.stringify(said));
  }
  process.exit(0);
};
