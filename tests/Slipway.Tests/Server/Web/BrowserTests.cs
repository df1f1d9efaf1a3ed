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
        }

        Assert.Empty(wrong);
    }

    private static async Task<IEnumerable<string>> AxeAsync(IPage page, string name)
    {
        await page.EvaluateAsync(await File.ReadAllTextAsync(Path.Combine(Repository(), "node_modules", "axe-core", "axe.min.js"), TestContext.Current.CancellationToken));
        var found = await page.EvaluateAsync<JsonElement>("axe.run(document, { resultTypes: ['violations'] })");
        return found.GetProperty("violations").EnumerateArray()
            .Where(violation => violation.GetProperty("impact").GetString() is "serious" or "critical" or "moderate")
            .Select(violation => $"{name}: {violation.GetProperty("id").GetString()}: {violation.GetProperty("help").GetString()}: {violation.GetProperty("nodes")[0].GetProperty("html").GetString()} ({violation.GetProperty("nodes").GetArrayLength()}): {violation.GetProperty("nodes")[0].GetProperty("failureSummary").GetString()}");
    }

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
