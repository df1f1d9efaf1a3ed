using System.Net;
using System.Text;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Monitoring;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Monitoring;

public sealed class LabelTests
{
    private static readonly MonitorPlan Plan = MonitorPlan.Default with { Labels = new LabelRules(new Duration(TimeSpan.FromDays(7)), new Ratio(1)) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task Labels_that_come_later_tell_how_good_each_version_was_when_it_predicted(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind, Plan);
        // Version 1 is right nine times of ten, version 2 always; each scores 0.9 or 0.1.
        await stage.SendAsync(MonitoringStage.Batch(1, Predicted(stage, 1, "a", 200), Predicted(stage, 2, "b", 100)));
        stage.Clock.Step(TimeSpan.FromMinutes(30));
        var lines = Enumerable.Range(0, 200).Select(i => $$"""{"id":"a{{i}}","label":{{(i % 10 == 0 ? 1 - (i % 2) : i % 2)}}}""").Concat(Enumerable.Range(0, 50).Select(i => $$"""{"id":"b{{i}}","label":{{i % 2}}}"""));
        var receipt = await LabelAsync(stage, [.. lines]);
        Assert.Equal((250, 0, 0, 0, 0), (receipt.Matched, receipt.Repeated, receipt.Contradictory, receipt.Waiting, receipt.Refused));

        var view = await stage.ViewAsync(TimeSpan.FromHours(1));
        var (second, first) = (view.Versions[0].Total, view.Versions[1].Total);
        Assert.Equal((200, 0, 50, 50), (first.Labelled, first.Unlabelled, second.Labelled, second.Unlabelled));
        Assert.Equal(0.9, first.Quality["accuracy"].Value, 10);
        Assert.Equal(1, second.Quality["accuracy"].Value);
        Assert.InRange(first.Quality["accuracy"].Low!.Value, 0.84, 0.9);
        Assert.InRange(second.Quality["accuracy"].Low!.Value, 0.9, 0.97);      // 50 of 50 is no certainty
        Assert.InRange(first.Quality["auc"].Value, 0.85, 0.95);
        Assert.Equal(1, second.Quality["auc"].Value);
        Assert.InRange(second.Quality["auc"].Low!.Value, 0.7, 0.99);
        Assert.Equal(0.01, second.Quality["brier"].Value, 10);
        Assert.Equal(IntervalBasis.Rows, first.Basis);
        Assert.Equal(0.7, view.Versions[0].SealedMetrics["auc"].Value);
        // In the window of the predictions, not in that of the labels.
        Assert.Equal(200, view.Versions[1].Windows.Single(window => window.Labelled > 0).Labelled);
        Assert.True(view.Versions[1].Windows.Single(window => window.Labelled > 0).Start < stage.Now - 1_700_000);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_first_label_stays_and_each_that_is_told_is_accounted_for(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind, Plan);
        await stage.SendAsync(MonitoringStage.Batch(1, Predicted(stage, 1, "a", 3)));
        Assert.Equal(Of(matched: 1), Without(await LabelAsync(stage, """{"id":"a0","label":1}""")));
        Assert.Equal(Of(repeated: 1, contradictory: 1), Without(await LabelAsync(stage, """{"id":"a0","label":1}""", """{"id":"a0","label":0}""")));
        // In one call as in several.
        Assert.Equal(Of(matched: 1, repeated: 1, contradictory: 1), Without(await LabelAsync(stage, """{"id":"a1","label":0}""", """{"id":"a1","label":0}""", """{"id":"a1","label":1}""")));
        Assert.Equal(Of(waiting: 1, repeated: 1, contradictory: 1), Without(await LabelAsync(stage, """{"id":"later","label":1}""", """{"id":"later","label":1}""", """{"id":"later","label":0}""")));
        var refused = await LabelAsync(stage, """{"id":"a2","label":2}""", "", "nonsense", """{"id":"","label":1}""", """{"id":"a2","label":1e999}""", """{"id":"a2","label":null}""", """{"id":"a2","label":1,"x":1}""", new string('x', 9_000), "{\"id\":\"a2\",\"label\":1}\r");
        Assert.Equal((1, 7), (refused.Matched, refused.Refused));
        Assert.Equal("line 1: its label is neither 0 nor 1, which are those of a binary classification", refused.Problems[0]);
        Assert.StartsWith("line 2: ", refused.Problems[1]);
        Assert.Equal(7, refused.Problems.Length);
        var total = (await stage.ViewAsync()).Versions[0].Total;
        Assert.Equal((3, 0), (total.Labelled, total.Unlabelled));
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_label_that_is_faster_than_its_prediction_waits_an_hour_for_it(DatabaseKind kind)
    {
        await using var stage = await MonitoringStage.OpenAsync(kind, Plan);
        Assert.Equal(2, (await LabelAsync(stage, """{"id":"a0","label":0}""", """{"id":"a1","label":1}""")).Waiting);
        await stage.SendAsync(MonitoringStage.Batch(1, Predicted(stage, 1, "a", 1)));
        var total = (await stage.ViewAsync()).Versions[0].Total;
        Assert.Equal((1, 0), (total.Labelled, total.Unlabelled));

        stage.Clock.Step(TimeSpan.FromMinutes(61));
        while (await stage.Database.ChangeAsync(session => Retention.PurgeAsync(session, stage.Now), Stop))
        {
        }

        await stage.SendAsync(MonitoringStage.Batch(2, Predicted(stage, 1, "a", 2)));
        Assert.Equal(1, (await stage.ViewAsync(TimeSpan.FromMinutes(2))).Versions[0].Total.Unlabelled);
        Assert.Equal((1, 0), await stage.Database.ReadAsync(session => PredictionTable.CountsAsync(session, MonitoringStage.Model, MonitoringStage.Channel), Stop) switch { var counts => (counts.Predictions - 1, counts.Waiting) });
    }

    [Fact]
    public async Task A_label_that_was_faster_is_every_version_s_that_answers_the_request()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        await LabelAsync(stage, """{"id":"a0","label":0}""");
        await stage.SendAsync(MonitoringStage.Batch(1, Predicted(stage, 2, "a", 1)));
        await stage.SendAsync(MonitoringStage.Batch(2, Predicted(stage, 1, "a", 1) with { Arm = TrafficArm.Shadow }));     // later
        Assert.All((await stage.ViewAsync()).Versions, version => Assert.Equal((1, 0), (version.Total.Labelled, version.Total.Unlabelled)));
        Assert.Equal(2, (await stage.ViewAsync()).Versions.Length);
    }

    [Fact]
    public async Task Labels_that_wait_fill_no_disk()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        await stage.Database.ChangeAsync(session => PredictionTable.CountAsync(session, MonitoringStage.Model, MonitoringStage.Channel, 0, PredictionTable.MostWaiting - 1), Stop);
        var receipt = await LabelAsync(stage, """{"id":"x","label":0}""", """{"id":"y","label":1}""");
        Assert.Equal((1, 1), (receipt.Waiting, receipt.Dropped));
    }

    [Fact]
    public async Task Predictions_beyond_the_bound_are_counted_and_not_kept()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        await stage.Database.ChangeAsync(session => PredictionTable.CountAsync(session, MonitoringStage.Model, MonitoringStage.Channel, PredictionTable.MostPredictions - 1, 0), Stop);
        await stage.SendAsync(MonitoringStage.Batch(1, Predicted(stage, 1, "a", 3)));
        var version = (await stage.ViewAsync()).Versions[0];
        Assert.Equal((2, 1), (version.Unkept, version.Total.Unlabelled));
    }

    [Fact]
    public async Task A_prediction_is_kept_as_coarseas_a_label_may_come_and_no_longer()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        await stage.SendAsync(MonitoringStage.Batch(1, Predicted(stage, 1, "a", 1)));
        stage.Clock.Step(TimeSpan.FromDays(6.9));
        await stage.Database.ChangeAsync(session => Retention.PurgeAsync(session, stage.Now), Stop);
        Assert.Equal(1, (await LabelAsync(stage, """{"id":"a0","label":1}""")).Matched);
        stage.Clock.Step(TimeSpan.FromDays(0.2));
        await stage.Database.ChangeAsync(session => Retention.PurgeAsync(session, stage.Now), Stop);
        Assert.Equal(1, (await LabelAsync(stage, """{"id":"a0","label":1}""")).Waiting);
        Assert.Equal(1, (await stage.ViewAsync(TimeSpan.FromDays(8))).Versions[0].Total.Labelled);
    }

    [Fact]
    public async Task A_label_of_a_prediction_that_the_plan_does_not_keep_is_no_mistake()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan with { Labels = Plan.Labels! with { Sample = new Ratio(0) } });
        Assert.Equal(1, (await LabelAsync(stage, """{"id":"a0","label":1}""")).Unsampled);
    }

    [Fact]
    public async Task Labels_that_nothing_can_be_done_with_are_refused_as_a_whole_and_say_why()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: MonitorPlan.Default, task: "ranking");
        Assert.Equal((HttpStatusCode.Conflict, "task-without-labels"), await RefusedAsync(stage, MonitoringStage.Model));
        Assert.Equal((HttpStatusCode.NotFound, "no-model"), await RefusedAsync(stage, "nothing"));
        await stage.RegisterAsync(3);
        Assert.Equal((HttpStatusCode.Conflict, "no-labels-asked"), await RefusedAsync(stage, MonitoringStage.Model));
        await stage.SetPlanAsync(Plan);
        Assert.Equal((HttpStatusCode.NotFound, "no-channel"), await RefusedAsync(stage, MonitoringStage.Model, "?channel=nowhere"));
        var many = string.Join('\n', Enumerable.Range(0, PredictionLabel.MostLines + 1).Select(i => $$"""{"id":"{{i}}","label":0}"""));
        Assert.Equal((HttpStatusCode.BadRequest, "many-labels"), await RefusedAsync(stage, MonitoringStage.Model, body: many));
    }

    [Fact]
    public async Task A_regression_is_told_by_its_errors()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan, task: "regression");
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(40) with { Predictions = [.. Enumerable.Range(0, 40).Select(i => new PredictionRecord(PredictionKey.Of(MonitoringStage.Model, $"a{i}"), stage.Now, i + (i % 2 == 0 ? 3 : -1)))] }));
        Assert.Equal(40, (await LabelAsync(stage, [.. Enumerable.Range(0, 40).Select(i => $$"""{"id":"a{{i}}","label":{{i}}}""")])).Matched);
        var quality = (await stage.ViewAsync()).Versions[0].Total.Quality;
        Assert.Equal(["bias", "mae", "rmse"], quality.Keys);
        Assert.Equal((1, 2), (quality["bias"].Value, quality["mae"].Value));
        Assert.Equal(Math.Sqrt(5), quality["rmse"].Value, 10);
        Assert.True(quality["rmse"].Low < quality["rmse"].Value && quality["bias"].Low is > 0 and < 1 && quality["bias"].High is > 1 and < 2);
    }

    [Fact]
    public async Task With_ten_windows_the_intervals_rest_on_windows_and_are_no_narrower_than_by_rows()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        for (var minute = 0; minute < 12; minute++)
        {
            // All right in one minute, all wrong in the next: 40 rows a minute that are worth one.
            await stage.SendAsync(MonitoringStage.Batch(minute + 1, Predicted(stage, 1, $"m{minute}-", 40)));
            await LabelAsync(stage, [.. Enumerable.Range(0, 40).Select(i => $$"""{"id":"m{{minute}}-{{i}}","label":{{(minute % 3 == 0 ? 1 - (i % 2) : i % 2)}}}""")]);
            stage.Clock.Step(TimeSpan.FromMinutes(1));
        }

        var total = (await stage.ViewAsync(TimeSpan.FromMinutes(15), 60_000)).Versions[0].Total;
        Assert.Equal((IntervalBasis.Windows, 480), (total.Basis, total.Labelled));
        Assert.Equal(2 / 3.0, total.Quality["accuracy"].Value, 10);
        Assert.InRange(total.Quality["accuracy"].High!.Value - total.Quality["accuracy"].Low!.Value, 0.5, 1);      // by rows it would be 0.08
        // However long the windows of the chart are.
        var coarse = (await stage.ViewAsync(TimeSpan.FromHours(1), 3_600_000)).Versions[0].Total;
        Assert.Equal((total.Basis, total.Quality["accuracy"]), (coarse.Basis, coarse.Quality["accuracy"]));
    }

    /// <summary>Predictions ID0, ID1 …, which score 0.1 and 0.9 in turn.</summary>
    private static TelemetrySlice Predicted(MonitoringStage stage, int version, string id, int count) => stage.Slice(count, version) with
    {
        Predictions = [.. Enumerable.Range(0, count).Select(i => new PredictionRecord(PredictionKey.Of(MonitoringStage.Model, $"{id}{i}"), stage.Now, i % 2 == 0 ? 0.1 : 0.9))],
    };

    private static LabelReceipt Of(long matched = 0, long repeated = 0, long contradictory = 0, long waiting = 0) =>
        LabelReceipt.Empty with { Matched = matched, Repeated = repeated, Contradictory = contradictory, Waiting = waiting };

    private static LabelReceipt Without(LabelReceipt receipt) => receipt with { Problems = LabelReceipt.Empty.Problems };

    private static async Task<LabelReceipt> LabelAsync(MonitoringStage stage, params string[] lines)
    {
        using var answer = await stage.Operator.PostAsync($"/api/v1/models/{MonitoringStage.Model}/labels", new StringContent(string.Join('\n', lines), Encoding.UTF8, "application/x-ndjson"), Stop);
        var text = await answer.Content.ReadAsStringAsync(Stop);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize(text, MonitoringJson.Default.LabelReceipt)!;
    }

    private static async Task<(HttpStatusCode, string)> RefusedAsync(MonitoringStage stage, string model, string query = "", string body = """{"id":"a","label":1}""")
    {
        using var answer = await stage.Operator.PostAsync($"/api/v1/models/{model}/labels{query}", new StringContent(body), Stop);
        return (answer.StatusCode, JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(Stop), RegistryJson.Default.ErrorDocument)!.Faults[0].Code);
    }
}
