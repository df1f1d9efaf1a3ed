using System.Net;
using Slipway.Server.Web.Kit;

namespace Slipway.Tests.Server.Web;

/// <summary>What stands on the pages.</summary>
public sealed class PageContentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_people_named_and_wrote_is_text_on_every_page()
    {
        const string Markup = "<img src=x onerror=alert(1)>\"'&</script><svg onload=alert(2)>";
        await using var stage = await PageStage.OpenAsync(Markup);
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        foreach (var (name, path) in PageStage.Pages)
        {
            var page = await browser.PageAsync(path);
            Assert.False(page.Contains("<img", StringComparison.OrdinalIgnoreCase), name);
            Assert.False(page.Contains("<svg onload", StringComparison.OrdinalIgnoreCase), name);
            // Scripts are loaded, and never written into a page.
            Assert.True(page.Split("<script").Length == page.Split("<script src=\"/assets/").Length, name);
            Assert.False(page.Contains(" style=", StringComparison.OrdinalIgnoreCase), name);
            // The viewer's name at least is on every page.
            Assert.True(page.Contains("&lt;img src=x onerror=alert(1)&gt;", StringComparison.Ordinal), name);
        }
    }

    [Fact]
    public async Task Every_picture_has_its_numbers_on_the_page_and_as_csv()
    {
        await using var stage = await PageStage.OpenAsync();
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        var seen = 0;
        foreach (var (name, path) in PageStage.Pages.Where(page => page.Name != "overview"))
        {
            var page = await browser.PageAsync(path);
            foreach (var figure in page.Split("<figure ")[1..].Select(part => part.Split("</figure>")[0]))
            {
                Assert.Contains("role=\"img\"", figure, StringComparison.Ordinal);
                Assert.Contains("<desc>", figure, StringComparison.Ordinal);
                if (!figure.Contains("download=", StringComparison.Ordinal))
                    continue;
                Assert.Contains("<table>", figure, StringComparison.Ordinal);
                var link = WebUtility.HtmlDecode(figure.Split("<a href=\"")[1].Split('"')[0]);
                using var csv = await browser.GetAsync(link);
                Assert.Equal((name, "text/csv"), (name, csv.Content.Headers.ContentType?.MediaType));
                var lines = (await csv.Content.ReadAsStringAsync(Stop)).Split("\r\n");
                Assert.True(lines.Length > 2, link);
                seen++;
            }
        }

        Assert.True(seen > 20, $"only {seen} pictures with numbers");
        using var none = await browser.GetAsync("/?csv=none");
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task The_pages_answer_what_people_ask_of_them()
    {
        await using var stage = await PageStage.OpenAsync();
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        var overview = await browser.PageAsync("/");
        // Which version answers now, and why.
        Assert.Contains("Version 2</a>", overview, StringComparison.Ordinal);
        Assert.Contains("version 3 does harm: 41 bad answers of 1,180 against 22 of 10,640, by timeouts", overview, StringComparison.Ordinal);
        Assert.Contains("requests in 24 h; at most", overview, StringComparison.Ordinal);
        // What the third version did wrong, and when it was stopped.
        var rollout = await browser.PageAsync(PageStage.Pages.Single(page => page.Name == "rollout-harm").Path);
        Assert.Contains("2026-05-01 09:26", rollout, StringComparison.Ordinal);
        Assert.Contains("3.47 % [2.57 %, 4.68 %]", rollout, StringComparison.Ordinal);
        // Who approved what.
        var version = await browser.PageAsync($"/models/{PageStage.Model}/versions/3");
        Assert.Contains("by Grace (model-risk)", version, StringComparison.Ordinal);
        Assert.Contains("the slices look right", version, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proof_that_a_browser_downloads_is_the_apis()
    {
        await using var stage = await PageStage.OpenAsync();
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        using var page = await browser.GetAsync("/ledger/1/proof");
        Assert.Equal(await stage.Server.Admin.GetStringAsync("/api/v1/ledger/proof/1", Stop), await page.Content.ReadAsStringAsync(Stop));
        using var checkpoint = await browser.GetAsync("/ledger/checkpoint");
        Assert.Equal(await stage.Server.Admin.GetStringAsync("/api/v1/ledger/checkpoint", Stop), await checkpoint.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task Scripts_stay_small_and_are_sent_compressed_and_for_ever()
    {
        Assert.InRange(PageAssets.All.Where(asset => asset.Type == "text/javascript").Sum(asset => asset.Brotli.Length), 1, 400_000);
        Assert.InRange(PageAssets.Live.Bytes.Length, 1, 10_000);
        await using var server = await TestServer.StartAsync();
        foreach (var asset in PageAssets.All)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, asset.Path) { Headers = { { "Accept-Encoding", "gzip, br" } } };
            using var answer = await server.Anonymous.SendAsync(request, Stop);
            Assert.Equal("br", Assert.Single(answer.Content.Headers.ContentEncoding));
            Assert.Equal(asset.Brotli, await answer.Content.ReadAsByteArrayAsync(Stop));
            Assert.Contains("immutable", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            Assert.Equal(asset.Bytes, await server.Anonymous.GetByteArrayAsync(asset.Path, Stop));
        }
    }
}
