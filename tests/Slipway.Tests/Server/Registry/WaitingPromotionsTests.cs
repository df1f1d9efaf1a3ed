using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Server.Registry;
using Slipway.Server.Storage;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Registry;

/// <summary>Who waits is on the list, however many were asked for since.</summary>
public sealed class WaitingPromotionsTests
{
    private const string Model = "flight-delay", Other = "other-model", List = "/api/v1/promotions";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_oldest_that_waits_is_found_behind_those_that_are_settled(DatabaseKind kind)
    {
        await using var server = await TestServer.StartAsync(kind);
        await AskAsync(server, Model, settled: false, from: 1, count: 1);
        await AskAsync(server, Model, settled: true, from: 2, count: 150);

        var (found, next) = await ListAsync(server.Admin, List);

        Assert.Equal([1], found.Select(promotion => promotion.Number));
        Assert.Null(next);
    }

    [Fact]
    public async Task Those_of_models_that_one_may_not_see_take_no_place()
    {
        await using var server = await TestServer.StartAsync();
        await AskAsync(server, Model, settled: false, from: 1, count: 2);
        await AskAsync(server, Other, settled: false, from: 3, count: 120);

        var (found, next) = await ListAsync(await server.AsAsync(Role.Approver, Model), List);

        Assert.Equal(["flight-delay.2", "flight-delay.1"], found.Select(promotion => promotion.Id));
        Assert.Null(next);
    }

    [Fact]
    public async Task What_does_not_fit_an_answer_is_led_to_by_a_link()
    {
        await using var server = await TestServer.StartAsync();
        await AskAsync(server, Model, settled: false, from: 1, count: 60);
        await AskAsync(server, Other, settled: false, from: 61, count: 60);

        var (first, next) = await ListAsync(server.Admin, List);
        Assert.Equal((100, "/api/v1/promotions?before=flight-delay.21"), (first.Length, next));
        var (second, end) = await ListAsync(server.Admin, next!);

        Assert.Null(end);
        Assert.Equal(Enumerable.Range(1, 120).Reverse(), first.Concat(second).Select(promotion => promotion.Number));
    }

    /// <summary>One answer looks at so many only; that it found nobody among them is not that nobody waits.</summary>
    [Fact]
    public async Task An_answer_that_looked_at_as_many_as_it_may_says_that_there_may_be_more()
    {
        await using var server = await TestServer.StartAsync();
        await AskAsync(server, Model, settled: false, from: 1, count: 1);
        await AskAsync(server, Model, settled: true, from: 2, count: 1_050);

        var (none, next) = await ListAsync(server.Admin, List);
        Assert.Empty(none);
        var (found, end) = await ListAsync(server.Admin, next!);

        Assert.Equal((1, null), (Assert.Single(found).Number, end));
    }

    [Theory]
    [InlineData("x", HttpStatusCode.BadRequest)]
    [InlineData(".", HttpStatusCode.BadRequest)]
    [InlineData("flight-delay.x", HttpStatusCode.BadRequest)]
    [InlineData("flight-delay.2", HttpStatusCode.NotFound)]
    [InlineData("other-model.3", HttpStatusCode.NotFound)]
    public async Task A_place_to_go_on_from_that_is_none_is_refused(string before, HttpStatusCode status)
    {
        await using var server = await TestServer.StartAsync();
        await AskAsync(server, Model, settled: false, from: 1, count: 1);
        await AskAsync(server, Other, settled: false, from: 3, count: 1);

        using var answer = await (await server.AsAsync(Role.Viewer, Model)).GetAsync($"{List}?before={before}", Stop);

        Assert.Equal(status, answer.StatusCode);
    }

    private static async Task<(ImmutableArray<Promotion> Promotions, string? Next)> ListAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path, Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, text);
        var link = answer.Headers.TryGetValues("Link", out var links) ? Assert.Single(links) : null;
        Assert.True(link is null || link.StartsWith('<') && link.EndsWith(">; rel=\"next\"", StringComparison.Ordinal), link);
        return (JsonSerializer.Deserialize(text, RegistryJson.Default.ImmutableArrayPromotion), link?[1..^">; rel=\"next\"".Length]);
    }

    /// <summary>What asking leaves behind, a second apart, each for a version of its own; what is settled somebody rejected.</summary>
    private static async Task AskAsync(TestServer server, string model, bool settled, int from, int count)
    {
        var database = await server.Store.OpenAgainAsync();
        await database.ChangeAsync(
            async session =>
            {
                if (await PlanTable.LatestAsync(session, model) is null)
                    await PlanTable.InsertAsync(session, new PlanVersion(model, 1, ReleasePlan.Default.Digest, ReleasePlan.Default, "user:author", "Ada", 1, "a test"), []);
                for (var number = from; number < from + count; number++)
                    await AskAsync(session, model, settled, number);
            },
            Stop);
    }

    private static async Task AskAsync(Session session, string model, bool settled, int number)
    {
        var bundle = Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{model} {number}"));
        var gates = new GateReport(bundle, null, Verdict.Pass, []);
        await VersionTable.InsertAsync(session, new ModelVersion(model, number, bundle, ReleasePlan.Default.Digest, gates, [], "user:author", "Ada", 1, "a test"), new SealedEvidence(null, null, new LineageGraph([])));
        await PromotionTable.InsertAsync(
            session,
            new PromotionRow
            {
                Model = model,
                Number = number,
                Version = number,
                Channel = ReleasePlan.Production,
                PlanNumber = 1,
                RequestedBy = "user:author",
                RequestedByName = "Ada",
                RequestedAt = number * 1_000L,
                Reason = "a test",
            });
        if (settled)
            await PromotionTable.AddVoteAsync(session, model, number, new CastVote(new Approval("user:r", "Rita", [], false, 1, "no"), new Actor("user:r", [])));
    }
}
