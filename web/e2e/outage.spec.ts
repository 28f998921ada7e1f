import { expect, expectLocked, pixels, test } from "./dashboard";

test("when the server goes nothing is known, and when it is back everything is", async ({ dashboard, site, guard }) => {
  guard.expected.push(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection/);
  await expectLocked(dashboard);
  await site.stopServer();

  await expect(dashboard.getByTestId("connection")).toHaveText("No connection");
  await expect(dashboard.getByTestId("door-front-state")).toHaveText("Unknown");
  await expect(dashboard.getByTestId("door-front-open")).toBeDisabled();
  await expect(dashboard.getByTestId("door-front-lock")).toBeDisabled();
  for (const camera of ["entrance", "yard"]) {
    await expect(dashboard.getByTestId(`camera-${camera}-state`)).toHaveText("not known");
    await expect(dashboard.getByTestId(`camera-${camera}`)).toContainText(
      /Not known: no connection to the server since \d\d:\d\d:\d\d/,
    );
  }
  await dashboard.screenshot({ path: "../artefacts/dashboard-no-connection.png" });

  await dashboard.getByTestId("to-events").click();
  await expect(dashboard.getByTestId("timeline")).toContainText("what happened since is not known");
  await dashboard.getByTestId("to-live").click();
  await site.startServer();
  await expect(dashboard.getByTestId("connection")).toHaveText("Connected", { timeout: 20_000 });
  await expectLocked(dashboard);
  for (const camera of ["entrance", "yard"]) {
    await expect(dashboard.getByTestId(`camera-${camera}-state`)).toHaveText("live", { timeout: 20_000 });
    const first = await pixels(dashboard, camera);
    await expect.poll(() => pixels(dashboard, camera)).not.toBe(first);
  }

  // What happened while the connection was away comes once: the stop and the start.
  await dashboard.getByTestId("to-events").click();
  const { events } = await site.ask<{ events: { id: string }[] }>("GET", "/events?kind=system.started&limit=1");
  await expect(dashboard.getByTestId(`event-${events[0]?.id}`)).toHaveCount(1);
});
