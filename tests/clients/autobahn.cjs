// autobahn-js against a router: node autobahn.cjs <url> <json|msgpack|cbor>

const assert = require("node:assert/strict");
globalThis.WebSocket ??= require("ws").WebSocket; // Node.js 20 has none of its own
const autobahn = require("autobahn");
const { collect, pause, refused, run, scenario } = require("./driver.cjs");

const [url, format] = process.argv.slice(2);
const serializers = {
  json: autobahn.serializer.JSONSerializer,
  msgpack: autobahn.serializer.MsgpackSerializer,
  cbor: autobahn.serializer.CBORSerializer,
};

/** A promise with `notify`, through which autobahn-js tells of progress. */
function deferred() {
  const made = { notify: (value) => made.promise.told?.(value) };
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

function open(options = {}) {
  return new Promise((resolve, reject) => {
    const connection = new autobahn.Connection({
      realm: "realm",
      transports: [{ type: "websocket", url, serializers: [new serializers[format]()] }],
      max_retries: 0,
      use_deferred: deferred,
      ...options,
    });
    connection.onopen = (session, details) => resolve(Object.assign(session, { connection, welcome: details }));
    connection.onclose = (reason, details) => {
      reject(Object.assign(new Error(reason), { details }));
      return true;
    };
    connection.open();
  });
}

let number = 0;
const fresh = () => `com.example.name${++number}`;
const members = async (count) => Promise.all(Array.from({ length: count }, () => open()));
const leave = (...sessions) => sessions.forEach((session) => session.connection.close());

// --- Basic Profile ---

scenario("a call brings its result", [], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, (args, kwargs) => new autobahn.Result([args[0] + args[1]], { told: kwargs.told }));
  const result = await caller.call(procedure, [2, 3], { told: "äöü 😀" });
  assert.deepEqual([result.args, result.kwargs], [[5], { told: "äöü 😀" }]);
  leave(callee, caller);
});

scenario("a call brings the callee's error", [], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, () => {
    throw new autobahn.Error("com.example.error", ["sorry"], { code: 7 });
  });
  const error = await refused(caller.call(procedure));
  assert.deepEqual([error.error, error.args, error.kwargs], ["com.example.error", ["sorry"], { code: 7 }]);
  leave(callee, caller);
});

scenario("a hundred calls are answered, each with its own result", [], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, async ([n]) => {
    await pause(n % 7);
    return n * n;
  });
  const asked = Array.from({ length: 100 }, (_, n) => n);
  assert.deepEqual(await Promise.all(asked.map((n) => caller.call(procedure, [n]))), asked.map((n) => n * n));
  leave(callee, caller);
});

scenario("a call to nobody is refused", [], async () => {
  const [caller] = await members(1);
  assert.equal((await refused(caller.call(fresh()))).error, "wamp.error.no_such_procedure");
  leave(caller);
});

scenario("a second registration is refused, until the first is taken back", [], async () => {
  const [one, other] = await members(2);
  const procedure = fresh();
  const registration = await one.register(procedure, () => 1);
  assert.equal((await refused(other.register(procedure, () => 2))).error, "wamp.error.procedure_already_exists");
  await one.unregister(registration);
  await other.register(procedure, () => 2);
  assert.equal(await one.call(procedure), 2);
  leave(one, other);
});

scenario("an event reaches its subscribers, and not its publisher", [], async () => {
  const [publisher, first, second] = await members(3);
  const topic = fresh();
  const [a, b, own] = [collect(1), collect(1), collect(1)];
  await first.subscribe(topic, (args, kwargs) => a.put([args, kwargs]));
  await second.subscribe(topic, (args, kwargs) => b.put([args, kwargs]));
  await publisher.subscribe(topic, (args) => own.put(args));
  await publisher.publish(topic, ["hello", [1, null, { deep: true }]], { said: 1.5 }, { acknowledge: true });
  const expected = [["hello", [1, null, { deep: true }]], { said: 1.5 }];
  assert.deepEqual([await a.promise, await b.promise], [[expected], [expected]]);
  await publisher.publish(topic, ["to me too"], {}, { acknowledge: true, exclude_me: false });
  assert.deepEqual(await own.promise, [["to me too"]]);
  leave(publisher, first, second);
});

scenario("no event comes after unsubscribing", [], async () => {
  const [publisher, subscriber] = await members(2);
  const topic = fresh();
  const got = collect(1);
  const subscription = await subscriber.subscribe(topic, (args) => got.put(args));
  await publisher.publish(topic, [1], {}, { acknowledge: true });
  await got.promise;
  await subscriber.unsubscribe(subscription);
  await publisher.publish(topic, [2], {}, { acknowledge: true });
  await pause(50);
  assert.deepEqual(got.values, [[1]]);
  leave(publisher, subscriber);
});

scenario("events arrive in order", [], async () => {
  const [publisher, subscriber] = await members(2);
  const topic = fresh();
  const got = collect(200);
  await subscriber.subscribe(topic, ([n]) => got.put(n));
  for (let n = 0; n < 200; n++) publisher.publish(topic, [n]);
  assert.deepEqual(await got.promise, Array.from({ length: 200 }, (_, n) => n));
  leave(publisher, subscriber);
});

scenario("a ticket lets in, a wrong one doesn't", [], async () => {
  const member = await open({ authmethods: ["ticket"], authid: "joe", onchallenge: () => "secret" });
  assert.deepEqual([member.welcome.authid, member.welcome.authrole], ["joe", "member"]);
  leave(member);
  const error = await refused(open({ authmethods: ["ticket"], authid: "joe", onchallenge: () => "guess" }));
  assert.equal(error.details.reason, "wamp.error.authentication_failed");
});

scenario("what is forbidden is refused", [], async () => {
  const [session] = await members(1);
  const refusals = [
    session.call("forbidden.door"),
    session.register("forbidden.door", () => 1),
    session.subscribe("forbidden.door", () => 1),
    session.publish("forbidden.door", [], {}, { acknowledge: true }),
  ];
  for (const promise of refusals) assert.equal((await refused(promise)).error, "wamp.error.not_authorized");
  leave(session);
});

scenario("a callee that leaves fails the calls that it hasn't answered", [], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, () => new Promise(() => {}));
  const asked = refused(caller.call(procedure));
  await pause(30);
  leave(callee);
  assert.ok((await asked).error.startsWith("wamp.error."));
  leave(caller);
});

// --- Advanced Profile ---

// As a callee autobahn-js can't be interrupted, so the router never asks it for progress; as a caller it takes some.
scenario("a callee that can't be interrupted isn't asked for progress", ["dealer.progressive_call_results"], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, (args, kwargs, details) => details.progress === null);
  assert.equal(await caller.call(procedure, [], {}, { receive_progress: true }), true);
  leave(callee, caller);
});

scenario("a call that is cancelled fails", ["dealer.call_canceling"], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, () => new Promise(() => {}));
  const call = caller.call(procedure);
  const failed = refused(call);
  await pause(30);
  call.cancel({ mode: "kill" }); // after the other modes autobahn-js takes the router's ERROR for a violation
  await failed;
  await caller.register(`${procedure}.again`, () => "still here");
  assert.equal(await callee.call(`${procedure}.again`), "still here");
  leave(callee, caller);
});

for (const [match, pattern, hit, miss] of [
  ["prefix", "com.pattern.a", "com.pattern.a.b", "com.pattern.b"],
  ["wildcard", "com.wild..card", "com.wild.x.card", "com.wild.x.y.card"],
]) {
  scenario(`subscribing by ${match}`, ["broker.pattern_based_subscription"], async () => {
    const [publisher, subscriber] = await members(2);
    const got = collect(1);
    await subscriber.subscribe(pattern, (args, kwargs, details) => got.put([args[0], details.topic]), { match });
    await publisher.publish(miss, [0], {}, { acknowledge: true });
    await publisher.publish(hit, [1], {}, { acknowledge: true });
    assert.deepEqual(await got.promise, [[1, hit]]);
    leave(publisher, subscriber);
  });
  scenario(`registering by ${match}`, ["dealer.pattern_based_registration"], async () => {
    const [callee, caller] = await members(2);
    await callee.register(pattern, (args, kwargs, details) => details.procedure, { match });
    assert.equal(await caller.call(hit), hit);
    assert.equal((await refused(caller.call(miss))).error, "wamp.error.no_such_procedure");
    leave(callee, caller);
  });
}

scenario("calls go round shared registrations", ["dealer.shared_registration"], async () => {
  const [one, other, caller] = await members(3);
  const procedure = fresh();
  await one.register(procedure, () => "one", { invoke: "roundrobin" });
  await other.register(procedure, () => "other", { invoke: "roundrobin" });
  const answers = [];
  for (let n = 0; n < 4; n++) answers.push(await caller.call(procedure));
  assert.deepEqual(answers, ["one", "other", "one", "other"]);
  leave(one, other, caller);
});

scenario("a caller that discloses itself is known", ["dealer.caller_identification"], async () => {
  const [callee, caller] = await members(2);
  const procedure = fresh();
  await callee.register(procedure, (args, kwargs, details) => details.caller ?? null);
  assert.equal(await caller.call(procedure, [], {}, { disclose_me: true }), caller.id);
  leave(callee, caller);
});

scenario("a publisher that discloses itself is known", ["broker.publisher_identification"], async () => {
  const [publisher, subscriber] = await members(2);
  const topic = fresh();
  const got = collect(1);
  await subscriber.subscribe(topic, (args, kwargs, details) => got.put(details.publisher));
  await publisher.publish(topic, [], {}, { acknowledge: true, disclose_me: true });
  assert.deepEqual(await got.promise, [publisher.id]);
  leave(publisher, subscriber);
});

scenario("black- and whitelists choose the receivers", ["broker.subscriber_blackwhite_listing"], async () => {
  const [publisher, first, second] = await members(3);
  const topic = fresh();
  const got = collect(3);
  for (const session of [first, second]) await session.subscribe(topic, ([n]) => got.put([n, session.id]));
  const say = (n, options) => publisher.publish(topic, [n], {}, { acknowledge: true, ...options });
  await say(1, { eligible: [first.id] });
  await say(2, { exclude: [first.id] });
  await say(3, { eligible: [] });
  await say(4, { eligible: [second.id] });
  assert.deepEqual((await got.promise).sort(), [[1, first.id], [2, second.id], [4, second.id]].sort());
  leave(publisher, first, second);
});

scenario("sessions are counted and found", ["dealer.session_meta_api"], async () => {
  const [one, other] = await members(2);
  const before = await one.call("wamp.session.count");
  const ids = await one.call("wamp.session.list");
  assert.ok(before >= 2 && ids.includes(one.id) && ids.includes(other.id));
  assert.equal((await one.call("wamp.session.get", [other.id])).session, other.id);
  const left = collect(1);
  const { id } = other;
  await one.subscribe("wamp.session.on_leave", ([gone]) => gone === id && left.put(gone));
  leave(other);
  assert.deepEqual(await left.promise, [id]);
  leave(one);
});

scenario("registrations and subscriptions are found", ["dealer.registration_meta_api", "broker.subscription_meta_api"],
  async () => {
    const [session] = await members(1);
    const name = fresh();
    const registration = await session.register(name, () => 1);
    const subscription = await session.subscribe(name, () => 1);
    assert.equal(await session.call("wamp.registration.lookup", [name]), registration.id);
    assert.equal(await session.call("wamp.subscription.lookup", [name]), subscription.id);
    assert.deepEqual(await session.call("wamp.subscription.list_subscribers", [subscription.id]), [session.id]);
    leave(session);
  });

open().then((session) => {
  const { roles } = session.welcome;
  leave(session);
  return run(roles);
});
