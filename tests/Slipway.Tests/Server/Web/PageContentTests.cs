using System.Net;
using System.Text.RegularExpressions;
using Slipway.Documents.Monitoring;
using Slipway.Server.Alerting;
using Slipway.Server.Web.Kit;
using Slipway.Tests.Server.Storage;

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

    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public async Task The_pages_answer_what_people_ask_of_them(DatabaseKind kind)
    {
        await using var stage = await PageStage.OpenAsync(kind: kind);
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        var overview = await browser.PageAsync("/");
        // Which version answers now, and why.
        Assert.Contains("Version 2</a>", overview, StringComparison.Ordinal);
        Assert.Contains("version 3 does harm: 41 bad answers of 1,180 against 22 of 10,640, by timeouts", overview, StringComparison.Ordinal);
        Assert.Contains("requests in the 24 whole hours up to 2026-05-01 12:00 UTC; at most", overview, StringComparison.Ordinal);
        // What the third version did wrong, and when it was stopped.
        var rollout = await browser.PageAsync(PageStage.Pages.Single(page => page.Name == "rollout-harm").Path);
        Assert.Contains("2026-05-01 09:26", rollout, StringComparison.Ordinal);
        // Bad ones are those that the judge called so, late ones too; each bound has its own figure.
        Assert.Contains("6.02 % [4.8 %, 7.52 %]", rollout, StringComparison.Ordinal);
        Assert.Contains("3.47 % [2.57 %, 4.68 %]", rollout, StringComparison.Ordinal);
        Assert.Contains("2.54 % [1.79 %, 3.61 %]", rollout, StringComparison.Ordinal);
        Assert.Contains("answers later than the budget of 500 ms", rollout, StringComparison.Ordinal);
        Assert.Contains($"<a href=\"/incidents/{PageStage.Rollback}\">incident {PageStage.Rollback}</a>", rollout, StringComparison.Ordinal);
        AssertCounted(rollout, ("by the judge, up to 2026-05-01 09:25:00 UTC", "1,180", "71", "30"), ("by the gateways, all that it got in this rollout", "800", "36", "not told apart"));
        AssertCounted(
            await browser.PageAsync($"/incidents/{PageStage.Rollback}"),
            ("by the judge, up to 2026-05-01 09:25:00 UTC", "1,180", "71", "30"), ("by the gateways, told by now", "1,200", "54", "0"));
        // Who approved what.
        var version = await browser.PageAsync($"/models/{PageStage.Model}/versions/3");
        Assert.Contains("by Grace (model-risk)", version, StringComparison.Ordinal);
        Assert.Contains("the slices look right", version, StringComparison.Ordinal);
        // Which feature drifted, and since when; whether the accuracy still holds.
        var monitoring = await browser.PageAsync(PageStage.Pages.Single(page => page.Name == "monitoring").Path);
        Assert.Contains("""<time datetime="2026-05-01T06:00:00.000Z" title="2026-05-01 06:00:00 UTC" class="when">2026-05-01 06:00:00 UTC</time>""", monitoring, StringComparison.Ordinal);
        Assert.Contains("Version 2 is worse than it was sealed: brier, log_loss of 4 metrics that can be compared.", monitoring, StringComparison.Ordinal);
        Assert.Matches(@"log_loss rose by 0\.[0-9]+ against what was sealed \(difference (\+|&#x2B;)0\.[0-9]+ to (\+|&#x2B;)0\.[0-9]+\): worse", monitoring);
        Assert.Contains("Sealed: 20,000 held-out rows (score.predictions, made from pipeline/score.py, prepare.holdout and train.model), intervals of 95 % by 61 values of day.", monitoring, StringComparison.Ordinal);
        foreach (var (_, path) in PageStage.Pages)
            await browser.PageAsync(path);
    }

    private static void AssertCounted(string page, params (string Who, string Requests, string Bad, string Late)[] rows) => Assert.All(rows, row => Assert.Contains(
        $"<tr><th scope=\"row\">{row.Who}</th><td data-label=\"Requests\" class=\"number\">{row.Requests}</td><td data-label=\"Bad answers\" class=\"number\">{row.Bad}</td><td data-label=\"of these late\" class=\"number\">{row.Late}</td></tr>",
        page, StringComparison.Ordinal));

    [Fact]
    public async Task A_version_that_was_taken_back_says_so_wherever_it_is_shown()
    {
        await using var stage = await PageStage.OpenAsync();
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        foreach (var path in new[] { "versions/3", "versions/3/card", "" })
        {
            var page = await browser.PageAsync($"/models/{PageStage.Model}/{path}".TrimEnd('/'));
            Assert.Contains("back from production <time datetime=\"2026-05-01T09:25:00.000Z\"", page, StringComparison.Ordinal);
            Assert.Contains("after 1,180 requests that the judge had counted: version 3 does harm: 41 bad answers", page, StringComparison.Ordinal);
            Assert.Contains($"<a href=\"/models/{PageStage.Model}/channels/{PageStage.Channel}/rollouts/{PageStage.Harmful}\">What happened in the rollout</a>", page, StringComparison.Ordinal);
            Assert.Contains($"<a href=\"/incidents/{PageStage.Rollback}\">incident {PageStage.Rollback}</a>", page, StringComparison.Ordinal);
        }

        // Its approval is over with it: nobody is asked for a vote that would change nothing.
        var version = await browser.PageAsync($"/models/{PageStage.Model}/versions/3");
        Assert.Contains("ended: taken back", version, StringComparison.Ordinal);
        Assert.DoesNotContain("id=\"approve-3\"", version, StringComparison.Ordinal);
        var card = await browser.PageAsync($"/models/{PageStage.Model}/versions/3/card");
        Assert.Contains("with up to 10 % of the requests from <time datetime=\"2026-05-01T09:01:00.000Z\"", card, StringComparison.Ordinal);
        // The one before it is live, and was not taken back.
        var live = await browser.PageAsync($"/models/{PageStage.Model}/versions/2/card");
        Assert.DoesNotContain("taken back", live, StringComparison.Ordinal);
        Assert.Contains("live</span>", live, StringComparison.Ordinal);
        Assert.DoesNotContain("live</span> live", Regex.Replace(live, @"\s+", " "), StringComparison.Ordinal);
        Assert.Contains("from <time datetime=\"2026-04-19T12:00:00.000Z\"", live, StringComparison.Ordinal);
        var former = await browser.PageAsync($"/models/{PageStage.Model}/versions/1");
        Assert.Contains("was live", former, StringComparison.Ordinal);
        Assert.Contains("version 2</a>", former, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public async Task A_live_version_whose_traffic_stopped_is_not_called_quiet(DatabaseKind kind)
    {
        await using var stage = await PageStage.OpenAsync(kind: kind);
        await stage.Database.ChangeAsync(
            async session =>
            {
                await session.ExecuteAsync("DELETE FROM alerts");
                await session.ExecuteAsync("UPDATE incidents SET closed_at = 1, cause = 'known'");
            },
            Stop);
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        stage.Clock.Step(TimeSpan.FromMinutes(-9));
        Assert.DoesNotContain("no traffic</span>", await browser.PageAsync("/"), StringComparison.Ordinal);
        stage.Clock.Step(TimeSpan.FromMinutes(9 + 14));
        var overview = await browser.PageAsync("/");
        Assert.DoesNotContain("</span> quiet</span>", overview, StringComparison.Ordinal);
        // Its last requests were told for the ten seconds from 11:50:00 on.
        Assert.Contains("no traffic</span> since <time datetime=\"2026-05-01T11:50:10.000Z\" title=\"2026-05-01 11:50:10 UTC\" class=\"when\">2026-05-01 11:50:10 UTC</time> (23 min)", overview, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alert_rule_that_cannot_be_judged_is_not_shown_as_well()
    {
        await using var stage = await PageStage.OpenAsync();
        await stage.Database.ChangeAsync(
            async session =>
            {
                var memory = (await AlertTable.ListAsync(session)).Single();
                await AlertTable.SaveAsync(session, memory with { Alert = memory.Alert with { State = AlertState.InsufficientEvidence } });
                await session.ExecuteAsync("UPDATE incidents SET closed_at = 1, cause = 'known'");
            },
            Stop);
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        var overview = await browser.PageAsync("/");
        Assert.DoesNotContain("</span> quiet</span>", overview, StringComparison.Ordinal);
        Assert.Contains("1 alert rule cannot be judged", overview, StringComparison.Ordinal);
        Assert.Contains("Nothing is firing. 1 of 1 rule cannot be judged now", await browser.PageAsync("/alerts"), StringComparison.Ordinal);
    }

    /// <summary>It was well when it was judged last, and rests in that state: a green badge alone would say that it is well.</summary>
    [Theory]
    [InlineData(AlertState.Inactive, "cannot be judged now: requests = 3 is below 2000", true)]
    [InlineData(AlertState.Pending, "cannot be judged, and so does not fire: no label came", true)]
    [InlineData(AlertState.Inactive, "error_rate = 0.001 is wholly at most 0.02", false)]
    public async Task A_rule_that_rests_in_its_state_says_that_it_is_not_judged(AlertState state, string reason, bool isResting)
    {
        await using var stage = await PageStage.OpenAsync();
        await stage.Database.ChangeAsync(
            async session =>
            {
                var memory = (await AlertTable.ListAsync(session)).Single();
                await AlertTable.SaveAsync(session, memory with { Alert = memory.Alert with { State = state, Reason = reason } });
            },
            Stop);
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        var page = await browser.PageAsync("/alerts");
        Assert.Equal(isResting, page.Contains($"<span aria-hidden=\"true\">?</span> {state.Word()}</span><span class=\"hint\"> not judged</span>", StringComparison.Ordinal));
        Assert.Equal(isResting, page.Contains("1 of 1 rule cannot be judged now", StringComparison.Ordinal));
        Assert.Equal(!isResting, page.Contains($"<span aria-hidden=\"true\">&#x2713;</span> {state.Word()}</span>", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_closed_incident_says_who_closed_it_and_why()
    {
        await using var stage = await PageStage.OpenAsync();
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        await browser.PageAsync($"/incidents/{PageStage.Incident}");
        using var answer = await browser.SendAsync($"/incidents/{PageStage.Incident}/close", ("order", "close"), ("cause", "the feed tells kilometres"), ("reason", "the feed was mended"));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var page = await browser.PageAsync($"/incidents/{PageStage.Incident}");
        Assert.Contains("<strong>closed</strong> by Olga<p class=\"lines\">the feed was mended</p>", page, StringComparison.Ordinal);
        Assert.Contains("the feed tells kilometres", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DatabaseKind.Sqlite)]
    [InlineData(DatabaseKind.Postgres)]
    public async Task The_overview_says_how_the_live_version_came_there_beside_what_happened_last(DatabaseKind kind)
    {
        await using var stage = await PageStage.OpenAsync(kind: kind);
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        var card = (await browser.PageAsync("/")).Split("<section class=\"channel\">").Single(part => part.Contains("<h4>production</h4>", StringComparison.Ordinal));
        Assert.Contains("promoted</span> <span class=\"hint\">by the server:</span> version 2 is no worse in any step", card, StringComparison.Ordinal);
        Assert.Contains("rolled back</span> version 3", card, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sealed_figures_name_the_table_that_they_are_of_and_what_it_was_made_from()
    {
        await using var stage = await PageStage.OpenAsync();
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        foreach (var path in new[] { "", "/card" })
        {
            Assert.Contains(
                "20,000 held-out rows: <code>score.predictions, made from pipeline/score.py, prepare.holdout and train.model</code>",
                await browser.PageAsync($"/models/{PageStage.Model}/versions/2{path}"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_page_names_an_icon_that_is_there()
    {
        await using var stage = await PageStage.OpenAsync();
        Assert.Contains($"<link rel=\"icon\" type=\"image/svg+xml\" href=\"{PageAssets.Icon.Path}\"", WebUtility.HtmlDecode(await new Browser(stage.Server).PageAsync("/sign-in")), StringComparison.Ordinal);
        using var icon = await stage.Server.Anonymous.GetAsync(new Uri(PageAssets.Icon.Path, UriKind.Relative), Stop);
        Assert.Equal((HttpStatusCode.OK, "image/svg+xml"), (icon.StatusCode, icon.Content.Headers.ContentType?.MediaType));
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
