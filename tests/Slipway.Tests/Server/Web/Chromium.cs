using Microsoft.Playwright;

namespace Slipway.Tests.Server.Web;

/// <summary>Debian's Chromium, driven by Playwright. Where it is not installed, tests that need it are skipped, and say so.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Executable = "/usr/bin/chromium";

    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Executable))
            return;
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Executable,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.CloseAsync();
        playwright?.Dispose();
    }

    /// <summary>A page of a new browser that is signed in with a token.</summary>
    internal async Task<IPage> OpenAsync(TestServer server, string token, int width = 1440, bool dark = false, bool script = true)
    {
        Assert.SkipUnless(browser is not null, $"{Executable} is not installed: apt-get install chromium");
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = server.Url.GetLeftPart(UriPartial.Authority),
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            JavaScriptEnabled = script,
        });
        var page = await context.NewPageAsync();
        await page.GotoAsync("/");
        await page.GetByLabel("Access token").FillAsync(token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 })).ToBeVisibleAsync();
        return page;
    }
}
