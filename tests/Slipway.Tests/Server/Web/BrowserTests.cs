using System.Text.Json;
using Microsoft.Playwright;

namespace Slipway.Tests.Server.Web;

/// <summary>Every page in a real browser: for who sees badly, who has no mouse, a phone, or no script.</summary>
public sealed class BrowserTests(Chromium chromium) : IClassFixture<Chromium>, IAsyncLifetime
{
    private PageStage stage = null!;

    public async ValueTask InitializeAsync() => stage = await PageStage.OpenAsync();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    /// <summary>Written to the folder that SLIPWAY_SCREENSHOTS names, for people to look at.</summary>
    [Theory]
    [InlineData(1440, false)]
    [InlineData(1440, true)]
    [InlineData(400, false)]
    [InlineData(400, true)]
    public async Task Every_page_fits_and_axe_finds_nothing_serious(int width, bool dark)
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token, width, dark);
        var wrong = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                wrong.Add($"{page.Url}: {message.Text}");
        };
        page.PageError += (_, error) => wrong.Add($"{page.Url}: {error}");
        foreach (var (name, path) in PageStage.Pages)
        {
            var answer = await page.GotoAsync(path);
            Assert.Equal((name, 200), (name, answer!.Status));
            if (Environment.GetEnvironmentVariable("SLIPWAY_SCREENSHOTS") is { Length: > 0 } folder)
                await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}-{(dark ? "dark" : "light")}.png"), FullPage = true });
            var beyond = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            if (beyond > 0)
                wrong.Add($"{name} at {width}: {beyond} pixels wider than the window");
            wrong.AddRange(await AxeAsync(page, name));
            if (width < 640)
                wrong.AddRange((await page.EvaluateAsync<string[]>(CutTables)).Select(table => $"{name} at {width}: {table}"));
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public async Task A_rollout_is_rolled_back_with_the_keyboard_alone()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.GotoAsync($"/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}");
        await TabToAsync(page, "Roll back");
        await page.Keyboard.PressAsync("Enter");
        await TabToAsync(page, "");
        await page.Keyboard.TypeAsync("the answers are late");
        await TabToAsync(page, "Roll back");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.GetByText("the answers are late").First).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("Olga rolls back").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Every_page_works_without_script()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token, script: false);
        foreach (var (name, path) in PageStage.Pages)
        {
            var answer = await page.GotoAsync(path);
            Assert.Equal((name, 200), (name, answer!.Status));
            await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToBeVisibleAsync();
            if (await page.Locator("details.numbers").CountAsync() is > 0)
            {
                await page.Locator("details.numbers summary").First.ClickAsync();
                await Assertions.Expect(page.Locator("details.numbers table").First).ToBeVisibleAsync();
            }
        }

        await page.GotoAsync($"/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}");
        await page.Locator("#abort summary").ClickAsync();
        await page.Locator("#abort-reason").FillAsync("no script was needed");
        await page.Locator("#abort button").ClickAsync();
        await Assertions.Expect(page.GetByText("no script was needed").First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_open_page_follows_what_happens_and_leaves_what_somebody_does_there_as_it_is()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.GotoAsync($"/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}");
        await page.Locator("#weights-numbers summary").ClickAsync();
        await page.Locator("#weights-numbers summary").FocusAsync();
        await AbortAsync();
        await Assertions.Expect(page.GetByText("seen by another").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        Assert.True(await page.EvaluateAsync<bool>("document.getElementById('weights-numbers').open"));
        Assert.Equal("weights-numbers", await page.EvaluateAsync<string>("document.activeElement.parentElement.id"));
    }

    [Fact]
    public async Task A_page_whose_server_is_gone_says_that_it_is_not_live()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.WaitForFunctionAsync("() => performance.getEntriesByType('resource').some(entry => entry.name.endsWith('.js'))");
        await stage.Server.Plane.DisposeAsync();
        await Assertions.Expect(page.GetByText("Not live: reconnecting")).ToBeVisibleAsync(new() { Timeout = 60_000 });
    }

    [Fact]
    public async Task A_page_that_is_open_while_its_server_starts_anew_is_live_again()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.GotoAsync($"/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}");
        await stage.Server.RestartAsync(async () => await Assertions.Expect(page.GetByText("Not live: reconnecting")).ToBeVisibleAsync(new() { Timeout = 60_000 }), samePort: true);
        await Assertions.Expect(page.GetByText("Not live: reconnecting")).ToBeHiddenAsync(new() { Timeout = 120_000 });
        await AbortAsync();
        await Assertions.Expect(page.GetByText("seen by another").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
    }

    [Fact]
    public async Task A_page_that_is_open_when_its_session_ends_asks_to_sign_in()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.GotoAsync($"/models/{PageStage.Model}");
        stage.Clock.Step(TimeSpan.FromHours(25));
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync(new() { Timeout = 120_000 });
    }

    /// <summary>The server is gone when it ends, so no stream says that it is over: the page finds out when it asks.</summary>
    [Fact]
    public async Task A_page_whose_session_ended_while_the_server_was_gone_asks_to_sign_in()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.GotoAsync($"/models/{PageStage.Model}");
        await stage.Server.RestartAsync(
            async () =>
            {
                await Assertions.Expect(page.GetByText("Not live: reconnecting")).ToBeVisibleAsync(new() { Timeout = 60_000 });
                stage.Clock.Step(TimeSpan.FromHours(25));
            },
            samePort: true);
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync(new() { Timeout = 120_000 });
    }

    [Fact]
    public async Task A_page_behind_another_asks_for_nothing_and_is_as_it_should_be_when_it_is_looked_at()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.GotoAsync($"/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}");
        await SetHiddenAsync(true);
        var asked = 0;
        page.Request += (_, request) => asked += request.Headers.ContainsKey("slipway-live") ? 1 : 0;
        // A stream beside the page's own tells when both have heard of it.
        await page.EvaluateAsync("new Promise(open => { const other = new EventSource('/events'); other.addEventListener('open', open); window.heard = new Promise(heard => other.addEventListener('changed', () => { other.close(); setTimeout(heard, 500); })); })");
        await AbortAsync();
        await page.EvaluateAsync("window.heard");
        Assert.Equal(0, asked);
        Assert.Equal(0, await page.GetByText("seen by another").CountAsync());
        await SetHiddenAsync(false);
        await Assertions.Expect(page.GetByText("seen by another").First).ToBeVisibleAsync(new() { Timeout = 60_000 });

        Task SetHiddenAsync(bool hidden) => page.EvaluateAsync(
            "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden }); document.dispatchEvent(new Event('visibilitychange')); }", hidden);
    }

    /// <summary>A connection that is dead without anybody having closed it, as after a laptop slept: the page's clock runs on and nothing is heard.</summary>
    [Fact]
    public async Task A_page_that_hears_nothing_for_long_connects_anew()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        await page.GotoAsync($"/models/{PageStage.Model}");
        var again = page.WaitForRequestAsync(request => request.Url.EndsWith("/events", StringComparison.Ordinal), new() { Timeout = 60_000 });
        await page.EvaluateAsync("const now = Date.now; Date.now = () => now() + 120_000; document.dispatchEvent(new Event('visibilitychange'));");
        await again;
        await Assertions.Expect(page.GetByText("Not live: reconnecting")).ToBeHiddenAsync(new() { Timeout = 60_000 });
    }

    [Fact]
    public async Task A_chart_over_time_is_zoomed_into_where_somebody_asks_and_goes_back()
    {
        var page = await chromium.OpenAsync(stage.Server, stage.Token);
        var wrong = new List<string>();
        page.Console += (_, message) => wrong.AddRange(message.Type == "error" ? [message.Text] : []);
        page.PageError += (_, error) => wrong.Add(error);
        await page.GotoAsync($"/models/{PageStage.Model}/channels/{PageStage.Channel}/monitoring?range=24h");
        Assert.Equal(0, await page.Locator("canvas").CountAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Zoom into: Bad answers as share of the requests, by version" }).ClickAsync();
        await Assertions.Expect(page.Locator("#errors canvas")).ToBeVisibleAsync();
        await page.Locator("#errors canvas").HoverAsync();
        // In the colours and dashes of the picture, whichever of the versions answered first; with what happened meanwhile.
        var drawn = await page.EvaluateAsync<string>(
            """
            () => {
              const figure = document.querySelector("#errors"), { series, color, legend } = echarts.getInstanceByDom(figure.querySelector(".zoomed")).getOption();
              const paint = i => getComputedStyle(document.documentElement).getPropertyValue(`--c${i}`).trim();
              const lines = series.filter(one => one.id.startsWith("value"));
              const picture = [...figure.querySelectorAll(".wide svg text.label")].map(label => label.textContent);
              return JSON.stringify([
                lines.map(line => line.name).join() === picture.join(), lines.every((line, i) => line.lineStyle.color === paint(i + 1)),
                lines.map(line => JSON.stringify(line.lineStyle.type)).join(" "), lines[0].markLine.data.map(mark => mark.name).join(), series.some(one => one.id.startsWith("high"))]);
            }
            """);
        Assert.Equal("""[true,true,"\"solid\" [7,4]","rollout of 3,rolled back 3",true]""", drawn);
        if (Environment.GetEnvironmentVariable("SLIPWAY_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, "zoomed-1440-light.png") });
        await page.Locator("#errors .zoom").ClickAsync();
        await Assertions.Expect(page.Locator("#errors svg").First).ToBeVisibleAsync();
        Assert.Equal(0, await page.Locator("canvas").CountAsync());
        Assert.Empty(wrong);
    }

    private Task AbortAsync() => TestServer.PostAsync(
        stage.Server.As(stage.Token), $"/api/v1/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}/abort", new Slipway.Documents.Rollouts.RolloutCommand("seen by another"),
        Slipway.Documents.Rollouts.RolloutJson.Default.RolloutCommand, Slipway.Documents.Rollouts.RolloutJson.Default.RolloutState);

    /// <summary>Presses Tab until what has the focus is called so; for an empty name, until it is a field that shows.</summary>
    private static async Task TabToAsync(IPage page, string name)
    {
        for (var presses = 0; presses < 100; presses++)
        {
            await page.Keyboard.PressAsync("Tab");
            var (tag, text) = (await page.EvaluateAsync<string>("document.activeElement.tagName"), await page.EvaluateAsync<string>("document.activeElement.textContent.trim()"));
            if (name.Length == 0 ? tag == "INPUT" : text == name && tag is "BUTTON" or "SUMMARY")
                return;
        }

        Assert.Fail($"a hundred presses of Tab do not lead to '{name}'");
    }

    private static async Task<IEnumerable<string>> AxeAsync(IPage page, string name)
    {
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(Repository(), "node_modules", "axe-core", "axe.min.js"), TestContext.Current.CancellationToken));
        var found = await page.EvaluateAsync<JsonElement>("axe.run(document, { resultTypes: ['violations'] })");
        return found.GetProperty("violations").EnumerateArray()
            .Where(violation => violation.GetProperty("impact").GetString() is "serious" or "critical" or "moderate")
            .Select(violation => $"{name}: {violation.GetProperty("id").GetString()}: {violation.GetProperty("help").GetString()}: {violation.GetProperty("nodes")[0].GetProperty("html").GetString()} ({violation.GetProperty("nodes").GetArrayLength()}): {violation.GetProperty("nodes")[0].GetProperty("failureSummary").GetString()}");
    }

    /// <summary>Tables of words whose rows are not wholly to be seen, or whose cells do not say what they are.</summary>
    private const string CutTables =
        """
        [...document.querySelectorAll("table")].filter(table => table.querySelector("td[data-label]")).flatMap(table => {
          const [name, box] = [table.caption?.textContent ?? "a table", table.closest(".scroll") ?? table];
          const hidden = table.closest("details:not([open])") !== null;
          return [
            ...(!hidden && box.scrollWidth > box.clientWidth + 1 ? [`${name}: ${box.scrollWidth - box.clientWidth} pixels are cut`] : []),
            ...([...table.tBodies].some(body => [...body.rows].some(row => [...row.cells].some(cell => cell.tagName === "TD" && !cell.dataset.label))) ? [`${name}: a cell has no name`] : []),
          ];
        })
        """;

    private static string Repository()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Slipway.slnx")))
                return folder;
        }

        throw new DirectoryNotFoundException("no Slipway.slnx above the test's folder");
    }
}
