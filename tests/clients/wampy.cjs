// wampy against a router: node wampy.cjs <url> <json|msgpack|cbor>

const assert = require("node:assert/strict");
const { Wampy } = require("wampy");
const { JsonSerializer } = require("wampy/JsonSerializer.js");
const { MsgpackSerializer } = require("wampy/MsgpackSerializer.js");
const { CborSerializer } = require("wampy/CborSerializer.js");
const { WebSocket } = require("ws");
const { collect, pause, refused, run, scenario } = require("./driver.cjs");

const [url, format] = process.argv.slice(2);
const serializers = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer };

// wampy writes `undefined` for options that weren't given: no value of CBOR's or MessagePack's that WAMP knows.
function lean(Serializer) {
  return class extends Serializer {
    encode(message) {
      return super.encode(given(message));
    }
  };
}

function given(value) {
  if (Array.isArray(value)) return value.map(given);
  if (Object.getPrototypeOf(value ?? 0) !== Object.prototype) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.map(([name, each]) => [name, given(each)]));
}

// wampy hands over headers and options for another library's constructor.
class Socket extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols);
    this.binaryType = "arraybuffer";
  }
}

async function open(options = {}) {
  const session = new Wampy(url, { realm: "realm", ws: Socket, serializer: new (lean(serializers[format]))(), ...options });
  session.welcome = await session.connect();
  return session;
}

let number = 0;
const fresh = () => `com.example.name${++number}`;
const members = async (count) => Promise.all(Array.from({ length: count }, () => open()));
const leave = (...sessions) => Promise.all(sessions.map((session) => session.disconnect()));
const uri = (error) => error.errorUri;

// --- Basic Profile ---

scenario("a call brings its result", [], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  const add = ({ argsList: [a, b], argsDict }) => ({ argsList: [a + b], argsDict: { told: argsDict.told } });
  await callee.register(procedure, add);
  const result = await caller.call(procedure, { argsList: [2, 3], argsDict: { told: "äöü 😀" } });
  assert.deepEqual([result.argsList, result.argsDict], [[5], { told: "äöü 😀" }]);
  await leave(callee, caller);
});

scenario("a call brings the callee's error", [], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, () => {
    throw Object.assign(new Error(), { error: "com.example.error", argsList: ["sorry"], argsDict: { code: 7 } });
  });
  const error = await refused(caller.call(procedure));
  assert.deepEqual([uri(error), error.argsList, error.argsDict], ["com.example.error", ["sorry"], { code: 7 }]);
  await leave(callee, caller);
});

scenario("a call to nobody is refused", [], async () => {
  const [caller] = await members(1);
  assert.equal(uri(await refused(caller.call(fresh()))), "wamp.error.no_such_procedure");
  await leave(caller);
});

scenario("a second registration is refused, until the first is taken back", [], async () => {
  const [one, other] = await members(2);
  const procedure = fresh();
  await one.register(procedure, () => ({ argsList: [1] }));
  const second = () => other.register(procedure, () => ({ argsList: [2] }));
  assert.equal(uri(await refused(second())), "wamp.error.procedure_already_exists");
  await one.unregister(procedure);
  await second();
  assert.deepEqual((await one.call(procedure)).argsList, [2]);
  await leave(one, other);
});

scenario("an event reaches its subscribers, and not its publisher", [], async () => {
  const [publisher, subscriber] = await members(2);
  const topic = fresh();
  const [got, own] = [collect(1), collect(1)]; // wampy can't ask for its own events: it leaves out what is false
  await subscriber.subscribe(topic, ({ argsList, argsDict }) => got.put([argsList, argsDict]));
  await publisher.subscribe(topic, ({ argsList }) => own.put(argsList));
  await publisher.publish(topic, { argsList: ["hello", [1, null]], argsDict: { said: 1.5 } });
  assert.deepEqual(await got.promise, [[["hello", [1, null]], { said: 1.5 }]]);
  assert.deepEqual(own.values, []);
  await leave(publisher, subscriber);
});

scenario("no event comes after unsubscribing", [], async () => {
  const [publisher, subscriber] = await members(2);
  const topic = fresh();
  const got = collect(1);
  const { subscriptionKey } = await subscriber.subscribe(topic, ({ argsList }) => got.put(argsList));
  await publisher.publish(topic, [1]);
  await got.promise;
  await subscriber.unsubscribe(subscriptionKey);
  await publisher.publish(topic, [2]);
  await pause(50);
  assert.deepEqual(got.values, [[1]]);
  await leave(publisher, subscriber);
});

scenario("a ticket lets in, a wrong one doesn't", [], async () => {
  const member = await open({ authmethods: ["ticket"], authid: "joe", onChallenge: () => "secret" });
  assert.deepEqual([member.welcome.authid, member.welcome.authrole], ["joe", "member"]);
  await leave(member);
  const error = await refused(open({ authmethods: ["ticket"], authid: "joe", onChallenge: () => "guess" }));
  assert.equal(uri(error), "wamp.error.authentication_failed");
});

scenario("what is forbidden is refused", [], async () => {
  const [session] = await members(1);
  const refusals = [
    session.call("forbidden.door"),
    session.register("forbidden.door", () => null),
    session.subscribe("forbidden.door", () => null),
    session.publish("forbidden.door", []),
  ];
  for (const promise of refusals) assert.equal(uri(await refused(promise)), "wamp.error.not_authorized");
  await leave(session);
});

// --- Advanced Profile ---

// What wampy can do as a callee, and doesn't say.
const streams = { progressive_call_results: true, progressive_call_invocations: true, call_canceling: true };
async function streaming() {
  const session = new Wampy(url, { realm: "realm", ws: Socket, serializer: new (lean(serializers[format]))() });
  for (const role of ["caller", "callee"]) Object.assign(session._wamp_features.roles[role].features, streams);
  await session.connect();
  return session;
}

scenario("progress is told before the result", ["dealer.progressive_call_results"], async () => {
  const [callee, caller] = [await streaming(), await streaming()];
  const procedure = fresh();
  await callee.register(procedure, ({ result_handler }) => {
    for (let n = 0; n < 3; n++) result_handler({ argsList: [n], options: { progress: true } });
    return { argsList: ["done"] };
  });
  const told = [];
  const result = await caller.call(procedure, [], { progress_callback: ({ argsList }) => told.push(argsList[0]) });
  assert.deepEqual([result.argsList, told.slice(0, 3)], [["done"], [0, 1, 2]]);
  await leave(callee, caller);
});

scenario("a call can go on with more arguments", ["dealer.progressive_call_invocations"], async () => {
  const [callee, caller] = [await streaming(), await streaming()];
  const procedure = fresh();
  const heard = collect(3);
  await callee.register(procedure, ({ argsList, details }) => {
    heard.put([argsList[0], Boolean(details.progress)]);
    return details.progress ? { argsList, options: { progress: true } } : { argsList: ["done"] };
  });
  const { result, sendData } = caller.progressiveCall(procedure, [1], { progress_callback: () => null });
  sendData([2], { progress: true });
  sendData([3], { progress: false });
  assert.deepEqual(await heard.promise, [[1, true], [2, true], [3, false]]);
  assert.deepEqual((await result).argsList, ["done"]);
  await leave(callee, caller);
});

for (const mode of ["skip", "killnowait", "kill"]) {
  scenario(`a call that is cancelled fails (${mode})`, ["dealer.call_canceling"], async () => {
    const [callee, caller] = await members(2);
    const procedure = fresh();
    await callee.register(procedure, () => new Promise(() => {}));
    const failed = refused(caller.call(procedure));
    await pause(30);
    caller.cancel(caller.getOpStatus().reqId, { mode });
    // wampy announces no canceling as a callee, so that every mode comes to "skip".
    assert.equal(uri(await failed), "wamp.error.canceled");
    await leave(callee, caller);
  });
}

scenario("a call times out", ["dealer.call_timeout"], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, () => new Promise(() => {}));
  const error = await refused(caller.call(procedure, [], { timeout: 50 }));
  assert.equal(uri(error), "wamp.error.timeout");
  await leave(callee, caller);
});

for (const [match, pattern, hit, miss] of [
  ["prefix", "com.pattern.a", "com.pattern.a.b", "com.pattern.b"],
  ["wildcard", "com.wild..card", "com.wild.x.card", "com.wild.x.y.card"],
]) {
  scenario(`subscribing by ${match}`, ["broker.pattern_based_subscription"], async () => {
    const [publisher, subscriber] = await members(2);
    const got = collect(1);
    await subscriber.subscribe(pattern, ({ argsList, details }) => got.put([argsList[0], details.topic]), { match });
    await publisher.publish(miss, [0]);
    await publisher.publish(hit, [1]);
    assert.deepEqual(await got.promise, [[1, hit]]);
    await leave(publisher, subscriber);
  });
  scenario(`registering by ${match}`, ["dealer.pattern_based_registration"], async () => {
    const [callee, caller] = await members(2);
    await callee.register(pattern, ({ details }) => ({ argsList: [details.procedure] }), { match });
    assert.deepEqual((await caller.call(hit)).argsList, [hit]);
    assert.equal(uri(await refused(caller.call(miss))), "wamp.error.no_such_procedure");
    await leave(callee, caller);
  });
}

scenario("calls go round shared registrations", ["dealer.shared_registration"], async () => {
  const [one, other, caller] = await members(3);
  const procedure = fresh();
  await one.register(procedure, () => ({ argsList: ["one"] }), { invoke: "roundrobin" });
  await other.register(procedure, () => ({ argsList: ["other"] }), { invoke: "roundrobin" });
  const answers = [];
  for (let n = 0; n < 4; n++) answers.push((await caller.call(procedure)).argsList[0]);
  assert.deepEqual(answers, ["one", "other", "one", "other"]);
  await leave(one, other, caller);
});

scenario("a caller and a publisher that disclose themselves are known",
  ["dealer.caller_identification", "broker.publisher_identification"],
  async () => {
    const [serving, asking] = await members(2);
    const [name, got] = [fresh(), collect(1)];
    await serving.register(name, ({ details }) => ({ argsList: [details.caller ?? null] }));
    await serving.subscribe(name, ({ details }) => got.put(details.publisher));
    assert.deepEqual((await asking.call(name, [], { disclose_me: true })).argsList, [asking.getSessionId()]);
    await asking.publish(name, [], { disclose_me: true });
    assert.deepEqual(await got.promise, [asking.getSessionId()]);
    await leave(serving, asking);
  });

scenario("black- and whitelists choose the receivers", ["broker.subscriber_blackwhite_listing"], async () => {
  const publisher = await open();
  const joe = await open({ authmethods: ["ticket"], authid: "joe", onChallenge: () => "secret" });
  const ann = await open({ authmethods: ["ticket"], authid: "ann", onChallenge: () => "secret" });
  const topic = fresh();
  const got = collect(3);
  await joe.subscribe(topic, ({ argsList: [n] }) => got.put([n, "joe"]));
  await ann.subscribe(topic, ({ argsList: [n] }) => got.put([n, "ann"]));
  await publisher.publish(topic, [1], { eligible_authid: "joe" });
  await publisher.publish(topic, [2], { exclude_authid: "joe" });
  await publisher.publish(topic, [3], { exclude_authrole: "member" });
  // In CBOR and MessagePack wampy writes session IDs as floating-point numbers, which are no IDs.
  await publisher.publish(topic, [4], format === "json" ? { eligible: [joe.getSessionId()] } : { eligible_authid: "joe" });
  assert.deepEqual((await got.promise).sort(), [[1, "joe"], [2, "ann"], [4, "joe"]]);
  await leave(publisher, joe, ann);
});

scenario("a payload passes through unread",
  ["broker.payload_passthru_mode", "dealer.payload_passthru_mode"],
  async () => {
    const [serving, asking] = await members(2);
    const [name, got] = [fresh(), collect(1)];
    const opaque = { ppt_scheme: "x_custom", ppt_serializer: "native" };
    await serving.subscribe(name, ({ argsList }) => got.put(argsList));
    await serving.register(name, ({ argsList }) => ({ argsList, options: opaque }));
    await asking.publish(name, ["sealed"], opaque);
    assert.deepEqual(await got.promise, [["sealed"]]);
    assert.deepEqual((await asking.call(name, ["sealed"], opaque)).argsList, ["sealed"]);
    await leave(serving, asking);
  });

open().then(async (session) => {
  const { roles } = session.welcome;
  await leave(session);
  return run(roles);
});
