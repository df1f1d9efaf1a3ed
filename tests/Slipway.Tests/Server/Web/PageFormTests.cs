using System.Net;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Incidents;
using Slipway.Documents.Ledger;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;

namespace Slipway.Tests.Server.Web;

/// <summary>The forms give the orders that the API gives: with a reason, in the ledger, and by who may.</summary>
public sealed class PageFormTests : IAsyncLifetime
{
    private const string Rollout = $"/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}";

    private PageStage stage = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => stage = await PageStage.OpenAsync();

    public ValueTask DisposeAsync() => stage.DisposeAsync();

    [Fact]
    public async Task A_rollout_is_aborted_by_its_form_with_the_reason_in_the_ledger_and_on_the_page()
    {
        var browser = await OpenAsync(Rollout);
        using (var answer = await browser.SendAsync(Rollout + "/abort", ("reason", "the label job will not come back")))
            Assert.Equal((HttpStatusCode.SeeOther, Rollout), (answer.StatusCode, answer.Headers.Location?.OriginalString));

        var page = await browser.PageAsync(Rollout);
        Assert.Contains("the label job will not come back", page, StringComparison.Ordinal);
        Assert.DoesNotContain("action=\"" + Rollout, page, StringComparison.Ordinal);
        var entries = await TestServer.GetAsync(stage.Server.Admin, "/api/v1/ledger/entries?action=rollout.aborted", LedgerJson.Default.ImmutableArrayLedgerRecord);
        Assert.All(entries, entry => Assert.Equal("Olga", entry.Payload!.ActorName));
        Assert.Contains(entries, entry => entry.Payload!.Reason.Contains("the label job will not come back", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "needs a reason")]
    [InlineData("two\nlines", "line end")]
    public async Task A_form_that_fails_comes_back_with_the_reason_why_and_changes_nothing(string reason, string why)
    {
        var browser = await OpenAsync(Rollout);
        using var answer = await browser.SendAsync(Rollout + "/resume", ("reason", reason), ("order", "resume"));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(Stop);
        Assert.Contains("This was not done.", page, StringComparison.Ordinal);
        Assert.Contains(why, page, StringComparison.Ordinal);
        Assert.Contains("<details class=\"order\" open id=\"resume\">", page, StringComparison.Ordinal);
        Assert.Contains("waiting for the label job", await browser.PageAsync(Rollout), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_done_now_is_told_on_its_page_and_what_was_typed_is_kept()
    {
        var browser = await OpenAsync(Rollout);
        using var answer = await browser.SendAsync($"/models/{PageStage.Model}/versions/2/release", ("reason", "it is the best we have"), ("channel", "production"), ("order", "release-2"));

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync(Stop);
        Assert.Contains("what production serves already", page, StringComparison.Ordinal);
        Assert.Contains("<h1>flight-delay, version 2</h1>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task A_form_without_the_sessions_own_mark_orders_nothing(string mark)
    {
        var browser = await OpenAsync(Rollout);
        var good = browser.FormToken;
        browser.FormToken = mark;
        using (var answer = await browser.SendAsync(Rollout + "/abort", ("reason", "a test")))
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);

        // Nor does another session's, though it is the same person's.
        browser.FormToken = (await OpenAsync(Rollout)).FormToken;
        Assert.NotEqual(good, browser.FormToken);
        using (var answer = await browser.SendAsync(Rollout + "/abort", ("reason", "a test")))
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        browser.FormToken = good;
        using (var answer = await browser.SendAsync(Rollout + "/abort", [("form", good), ("reason", "a test")], "https://evil.example", "cross-site"))
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(RolloutPhase.Paused, (await PhaseAsync()));
    }

    [Fact]
    public async Task Who_may_not_operate_sees_no_button_and_is_refused_the_form()
    {
        var viewer = await Browser.SignedInAsync(stage.Server, stage.ViewerToken);
        foreach (var path in PageStage.Pages.Select(page => page.Path))
            Assert.DoesNotContain("name=\"reason\"", await viewer.PageAsync(path), StringComparison.Ordinal);
        await viewer.PageAsync("/");
        using var answer = await viewer.SendAsync(Rollout + "/abort", ("reason", "a test"));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(RolloutPhase.Paused, await PhaseAsync());
    }

    [Fact]
    public async Task A_production_version_is_rolled_back_on_its_models_page_and_not_twice()
    {
        var (model, browser) = ($"/models/{PageStage.Model}", await OpenAsync($"/models/{PageStage.Model}"));
        foreach (var expected in new[] { HttpStatusCode.SeeOther, HttpStatusCode.SeeOther })
        {
            using var answer = await browser.SendAsync(model + "/rollback", ("reason", "late answers"), ("channel", "production"), ("from", "2"));
            Assert.True(expected == answer.StatusCode || answer.StatusCode == HttpStatusCode.Conflict, await answer.Content.ReadAsStringAsync(Stop));
        }

        using var rollouts = JsonDocument.Parse(await stage.Server.Admin.GetStringAsync($"/api/v1/models/{PageStage.Model}/channels/production/rollouts", Stop));
        Assert.Single(rollouts.RootElement.EnumerateArray(), rollout => rollout.GetProperty("kind").GetString() == "return");
    }

    [Fact]
    public async Task A_version_is_asked_for_and_approved_on_its_page()
    {
        var path = $"/models/{PageStage.Model}/versions/1";
        var browser = await OpenAsync(path);
        using (var answer = await browser.SendAsync(path + "/promote", ("reason", "as a way back"), ("channel", "staging")))
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var promotion = (await TestServer.GetAsync(stage.Server.Admin, $"/api/v1/models/{PageStage.Model}/promotions", RegistryJson.Default.ImmutableArrayPromotion))[0];
        Assert.Equal(("as a way back", "Olga"), (promotion.Reason, promotion.RequestedByName));
        using (var answer = await browser.SendAsync(path + "/vote", ("reason", "not without a look"), ("promotion", $"{promotion.Number}"), ("vote", "reject")))
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Contains("not without a look", await browser.PageAsync(path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_incident_is_noted_and_closed_on_its_page()
    {
        var path = $"/incidents/{PageStage.Incident}";
        var browser = await OpenAsync(path);
        using (var answer = await browser.SendAsync(path + "/note", ("text", "The feed sends kilometres.\r\nSince 06:00.")))
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        using (var answer = await browser.SendAsync(path + "/close", ("cause", "kilometres for miles"), ("reason", "the feed is mended")))
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var incident = await TestServer.GetAsync(stage.Server.Admin, $"/api/v1/incidents/{PageStage.Incident}", IncidentJson.Default.Incident);
        Assert.Equal("kilometres for miles", incident.Cause);
        Assert.Contains(incident.Timeline, note => note.Text == "The feed sends kilometres.\nSince 06:00.");
        Assert.DoesNotContain("/close\"", await browser.PageAsync(path), StringComparison.Ordinal);
    }

    private async Task<RolloutPhase> PhaseAsync() => (await TestServer.GetAsync(
        stage.Server.Admin, $"/api/v1/models/{PageStage.Model}/channels/staging/rollouts/{PageStage.Paused}", RolloutJson.Default.RolloutView)).State.Phase;

    private async Task<Browser> OpenAsync(string path)
    {
        var browser = await Browser.SignedInAsync(stage.Server, stage.Token);
        await browser.PageAsync(path);
        return browser;
    }
}
