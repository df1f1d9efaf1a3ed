using System.Net;
using System.Text.Json;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Units;
using Slipway.Server.Monitoring;
using Slipway.Stats.Sketches;

namespace Slipway.Tests.Server.Monitoring;

public sealed class MonitoringViewTests
{
    private static readonly MonitorPlan Plan = MonitorPlan.Default with { Window = new Duration(TimeSpan.FromMinutes(10)) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_feature_that_drifts_is_found_with_the_minute_since_when_and_no_other()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        var planted = 0L;
        for (var minute = 0; minute < 30; minute++)
        {
            // From the 15th minute on, distances come in kilometres: what was below 500 is above.
            if (minute == 15)
                planted = stage.Now;
            await stage.SendAsync(MonitoringStage.Batch(minute + 1, Told(stage, minute < 15 ? [250, 250, 250, 250] : [50, 100, 250, 600], [500, 300, 100], 100)));
            stage.Clock.Step(TimeSpan.FromMinutes(1));
        }

        var view = await stage.ViewAsync(TimeSpan.FromMinutes(30), 60_000, ahead: TimeSpan.FromSeconds(-1));
        var (distance, carrier, probability) = Assert.Single(view.Versions).Drift switch { [var one, var two, var three] => (one, two, three), _ => throw new InvalidOperationException() };
        Assert.Equal((DriftVerdict.Drift, planted, false), (distance.Verdict, distance.Since, distance.SinceOrBefore));
        Assert.Equal("distance", view.Versions[0].Total.DriftMaxOf);
        Assert.True(distance.Distance.Low > distance.Limit && distance.Distance.Value is > 0.6 and < 0.9, $"{distance.Distance}");
        Assert.Equal(15, distance.Series.Count(point => point.Verdict == DriftVerdict.Drift));
        Assert.Equal((DriftVerdict.NoDrift, null), (carrier.Verdict, carrier.Since));
        Assert.Equal((DriftVerdict.NoDrift, true), (probability.Verdict, probability.IsOutput));
        Assert.Equal(10_000, distance.Current.Count);       // the plan's ten minutes
        Assert.Equal(distance.Distance.Value, view.Versions[0].Total.DriftMax!.Value);
        Assert.True(view.Versions[0].Total.DriftMax!.Low is > 0.2 && view.Versions[0].Total.DriftMax!.Low <= distance.Distance.Low);
        Assert.True(view.Versions[0].Windows[0].DriftMax!.High < 0.2);

        var coarse = Assert.Single((await stage.ViewAsync(TimeSpan.FromHours(2), 3_600_000, ahead: TimeSpan.FromSeconds(-1))).Versions).Drift[0];
        Assert.Equal((DriftVerdict.Drift, planted, false), (coarse.Verdict, coarse.Since, coarse.SinceOrBefore));      // however long the chart's windows are

        var last = await stage.Database.ReadAsync(session => MonitoringReader.LastAsync(session, MonitoringStage.Model, MonitoringStage.Channel, stage.Now), Stop);
        Assert.Equal((10_000, DriftVerdict.Drift), (last.Step, last.Versions[0].Drift[0].Verdict));
        Assert.Equal(10_000, last.Versions[0].Total.Requests);
    }

    [Fact]
    public async Task Drift_that_may_be_older_than_the_span_says_so()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        for (var minute = 0; minute < 20; minute++)
        {
            // Distances are in kilometres all along; for the first minutes of the shorter span nothing is said either way.
            await stage.SendAsync(MonitoringStage.Batch(minute + 1, minute is > 9 and < 13 ? stage.Slice(10) : Told(stage, [50, 100, 250, 600], [500, 300, 100], 100)));
            stage.Clock.Step(TimeSpan.FromMinutes(1));
        }

        var (whole, late) = (await stage.ViewAsync(TimeSpan.FromMinutes(20), 60_000, ahead: TimeSpan.FromSeconds(-1)), await stage.ViewAsync(TimeSpan.FromMinutes(10), 60_000, ahead: TimeSpan.FromSeconds(-1)));
        Assert.All([whole, late], view => Assert.True(view.Versions[0].Drift[0].SinceOrBefore));
        Assert.Equal(whole.From, whole.Versions[0].Drift[0].Since);
        Assert.Equal((DriftVerdict.InsufficientEvidence, late.From + 180_000), (late.Versions[0].Drift[0].Series[0].Verdict, late.Versions[0].Drift[0].Since));
        Assert.All(whole.Versions[0].Drift.Where(feature => feature.Since is null), feature => Assert.False(feature.SinceOrBefore));
    }

    /// <summary>Each ten seconds of traffic has one request more than those before.</summary>
    [Theory]
    [InlineData(10, 0, 20, 9)]
    [InlineData(10, 3, 20, 11)]
    [InlineData(30, 0, 30, 12)]
    [InlineData(30, 3, 30, 15)]
    [InlineData(34, 3, 40, 18)]
    public async Task Conditions_look_at_as_many_windows_as_the_plan_s_time_has_up_to_the_one_that_runs(int window, int after, int covered, int requests)
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan with { Window = new Duration(TimeSpan.FromSeconds(window)) });
        for (var i = 1; i <= 5; i++)
        {
            await stage.SendAsync(MonitoringStage.Batch(i, stage.Slice(i)));
            stage.Clock.Step(TimeSpan.FromSeconds(10));
        }

        if (after > 0)
        {
            await stage.SendAsync(MonitoringStage.Batch(6, stage.Slice(6)));
            stage.Clock.Step(TimeSpan.FromSeconds(after));
        }

        var last = await stage.Database.ReadAsync(session => MonitoringReader.LastAsync(session, MonitoringStage.Model, MonitoringStage.Channel, stage.Now), Stop);
        Assert.Equal((covered * 1_000, requests), (last.To - last.From, last.Versions[0].Total.Requests));
        Assert.InRange(stage.Now, last.To - 9_999, last.To);
        Assert.Contains($"over {covered} s", MonitoringFigures.Of(last with { Live = new(last.Versions[0].Version, last.Versions[0].Bundle) }, isHeard: true).Basis);
    }

    [Fact]
    public async Task What_nobody_sees_is_not_called_near()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        var told = Told(stage, [250, 250, 250, 250], [500, 300, 100], 100);
        await stage.SendAsync(MonitoringStage.Batch(1, told with { Inputs = [told.Inputs[1]] }));
        var total = Assert.Single((await stage.ViewAsync(TimeSpan.FromMinutes(10))).Versions).Total;
        Assert.Equal(("carrier", null), (total.DriftMaxOf, total.DriftMax!.High));
        Assert.Equal("too few values of distance were profiled, which may be further off", total.DriftMax.Lacks);
    }

    [Fact]
    public async Task Drift_is_judged_where_traffic_ended_though_its_short_windows_are_deleted()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan with { Window = new Duration(TimeSpan.FromSeconds(30)) });
        var told = stage.Now;
        await stage.SendAsync(MonitoringStage.Batch(1, Told(stage, [50, 100, 250, 600], [500, 300, 100], 100)));
        stage.Clock.Step(TimeSpan.FromHours(3));
        while (await stage.Database.ChangeAsync(session => Retention.PurgeAsync(session, stage.Now), Stop))
        {
        }

        var version = Assert.Single((await stage.ViewAsync(TimeSpan.FromHours(6))).Versions);
        Assert.True(version.DriftTo > told && version.DriftTo <= told + 60_000, $"{version.DriftTo - told}");
        Assert.Equal((DriftVerdict.Drift, 1_000), (version.Drift[0].Verdict, version.Drift[0].Current.Count));
    }

    [Fact]
    public async Task Drift_is_judged_where_traffic_ends_however_long_the_chart_s_windows_are()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan with { Window = new Duration(TimeSpan.FromSeconds(30)) });
        var told = stage.Now;
        await stage.SendAsync(MonitoringStage.Batch(1, Told(stage, [50, 100, 250, 600], [500, 300, 100], 100)));
        stage.Clock.Step(TimeSpan.FromMinutes(5));
        var version = Assert.Single((await stage.ViewAsync(TimeSpan.FromHours(2), 600_000)).Versions);
        Assert.True(version.DriftTo > told && version.DriftTo <= told + 10_000, $"{version.DriftTo - told}");
        Assert.Equal((DriftVerdict.Drift, 1_000), (version.Drift[0].Verdict, version.Drift[0].Current.Count));

        // Conditions go by now: what was five minutes ago is none of theirs.
        var last = await stage.Database.ReadAsync(session => MonitoringReader.LastAsync(session, MonitoringStage.Model, MonitoringStage.Channel, stage.Now), Stop);
        Assert.Empty(last.Versions);
    }

    [Fact]
    public async Task What_is_missing_drifts_too_and_a_few_values_say_nothing()
    {
        await using var stage = await MonitoringStage.OpenAsync(plan: Plan);
        await stage.SendAsync(MonitoringStage.Batch(1, Told(stage, [20, 20, 20, 20], [100, 60, 20], 820)));
        var drift = (await stage.ViewAsync()).Versions[0].Drift;
        Assert.Equal((DriftVerdict.InsufficientEvidence, 80), (drift[0].Verdict, drift[0].Distance.N));
        Assert.StartsWith("80 values", drift[0].Distance.Lacks);
        Assert.Equal(DriftVerdict.Drift, drift[1].Verdict);     // 82 % without a carrier, 10 % when it was sealed
    }

    [Fact]
    public async Task Errors_and_latencies_come_with_what_they_may_be()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(1_000, errors: 20)));
        var total = (await stage.ViewAsync()).Versions[0].Total;
        Assert.Equal((0.02, 1_000), (total.ErrorRate!.Value, total.ErrorRate.N));
        Assert.InRange(total.ErrorRate.Low!.Value, 0.012, 0.0135);      // Wilson: 0.01299
        Assert.InRange(total.ErrorRate.High!.Value, 0.0300, 0.0310);    // 0.03069
        var median = total.Latency["p50"];
        Assert.Equal((Math.Round(LatencyBuckets.Bounds[9], 12), Math.Round(LatencyBuckets.Bounds[10], 12)), (Math.Round(median.Low!.Value, 12), Math.Round(median.High!.Value, 12)));
        Assert.InRange(median.Value, median.Low!.Value, median.High!.Value);
        Assert.Null(total.Latency["p99"].High);     // requests without an answer: nobody knows how late
        Assert.Contains("beyond", total.Latency["p99"].Lacks);
    }

    [Fact]
    public async Task Traces_of_bad_requests_and_the_hosts_load_are_told()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(5, errors: 2) with
        {
            Exemplars = [new("00000000000000000000000000000001", BadKind.Timeout, stage.Now, 1.5), new("<script>", BadKind.Error, stage.Now, 0.1), new("00000000000000000000000000000002", BadKind.Error, stage.Now - 1_000, double.MaxValue)],
        }));
        var view = await stage.ViewAsync();
        Assert.Equal([("00000000000000000000000000000001", BadKind.Timeout), ("00000000000000000000000000000002", BadKind.Error)], view.Versions[0].Exemplars.Select(exemplar => (exemplar.Trace, exemplar.Kind)));
        Assert.Equal(new HostLoad(0.5, 2, 0.7, 1_000_000, 3), Assert.Single(view.Gateways).Load);
    }

    [Fact]
    public async Task A_view_names_its_span_and_refuses_one_that_is_none()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        const string path = $"/api/v1/models/{MonitoringStage.Model}/channels/{MonitoringStage.Channel}/monitoring";
        var view = await TestServer.GetAsync(stage.Operator, path + "?from=2026-05-01T11:00:03%2B00:00&to=2026-05-01T12:00:00Z&step=600000", MonitoringJson.Default.MonitoringView);
        Assert.Equal((1_777_633_200_000, 1_777_636_800_000, 600_000), (view.From, view.To, view.Step));
        Assert.Equal(3_600_000, (await TestServer.GetAsync(stage.Operator, path, MonitoringJson.Default.MonitoringView)) switch { var all => all.To - all.From });
        foreach (var (query, code) in new[]
        {
            ("?from=2026-05-01T12:00:00", "bad-time"), ("?from=yesterday", "bad-time"), ("?from=-5", "bad-time"), ("?from=5&to=5", "bad-span"), ("?from=9&to=5", "bad-span"), ("?last=0", "bad-span"),
            ("?step=7", "bad-step"), ("?from=0&to=1777633200000&step=10000", "many-windows"), (".csv?table=secrets", "bad-table"),
        })
        {
            using var refused = await stage.Operator.GetAsync(path + query, Stop);
            Assert.Equal((query, HttpStatusCode.BadRequest), (query, refused.StatusCode));
            Assert.Equal((query, code), (query, JsonSerializer.Deserialize(await refused.Content.ReadAsStringAsync(Stop), RegistryJson.Default.ErrorDocument)!.Faults[0].Code));
        }

        using var none = await stage.Operator.GetAsync(path.Replace(MonitoringStage.Model, "nothing"), Stop);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task A_table_for_spreadsheets_has_times_in_utc_and_no_formulas()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        var named = MonitoringStage.Reference with { Inputs = [MonitoringStage.Reference.Inputs[0] with { Name = "=1+2,\"x\"" }] };
        await stage.RegisterAsync(3, reference: named, signature: MonitoringStage.Signature with { Inputs = [MonitoringStage.Signature.Inputs[0] with { Name = "=1+2,\"x\"" }] });
        await stage.SendAsync(MonitoringStage.Batch(1, stage.Slice(10, version: 3, errors: 1) with { Refused = 4 }));
        async Task<string[]> TableAsync(string table) =>
            (await stage.Operator.GetStringAsync($"/api/v1/models/{MonitoringStage.Model}/channels/{MonitoringStage.Channel}/monitoring.csv?last=600000&to={stage.Now + 1}&table={table}", Stop)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var traffic = await TableAsync("traffic");
        Assert.Equal("start_utc,seconds,version,requests,refused,error,timeout,latency,invalid_output,crash,error_rate,error_rate_low,error_rate_high", traffic[0]);
        Assert.StartsWith("2026-05-01T12:00:00Z,10,3,10,4,1,0,0,0,0,0.1,", traffic[1]);
        Assert.Equal(4, (await TableAsync("latency")).Length);
        Assert.StartsWith("2026-05-01T12:00:00Z,10,3,\"'=1+2,\"\"x\"\"\",false,0,,,0,0.2,insufficient-evidence,", (await TableAsync("drift"))[1]);
        Assert.Single(await TableAsync("quality"));
    }

    [Fact]
    public async Task A_span_of_a_year_is_told_in_few_windows()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        for (var i = 0; i < 12; i++)
        {
            await stage.SendAsync(MonitoringStage.Batch(i + 1, stage.Slice(10)));
            stage.Clock.Step(TimeSpan.FromDays(7));
        }

        var view = await stage.ViewAsync(TimeSpan.FromDays(90));
        Assert.Equal((86_400_000, 120, 12), (view.Step, view.Versions[0].Total.Requests, view.Versions[0].Windows.Length));
    }

    [Fact]
    public async Task More_windows_than_are_read_at_once_are_told_whole()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        const int windows = 600;
        var first = WindowLength.Shortest.StartOf(stage.Now);
        await stage.Database.ChangeAsync(
            async session =>
            {
                for (var i = 0; i < windows; i++)
                {
                    var (start, quality) = (first + i * WindowLength.Shortest.Milliseconds, new QualitySum { Kept = 2 });
                    quality.Add(WatchedVersion.BinaryClassification, 0.8, i % 2);
                    await QualityTable.AddAsync(session, MonitoringStage.Model, MonitoringStage.Channel, WindowLength.Shortest.Milliseconds, start, 1, quality);
                    foreach (var arm in (TrafficArm[])[TrafficArm.Stable, TrafficArm.Direct, TrafficArm.Shadow])
                        await WindowTable.AddAsync(session, new WindowKey(MonitoringStage.Model, MonitoringStage.Channel, WindowLength.Shortest.Milliseconds, start, 1, arm), new WindowSum { Requests = 3, Refused = 1 });
                }
            },
            Stop);
        stage.Clock.Step(TimeSpan.FromSeconds(10 * windows));
        var version = Assert.Single((await stage.ViewAsync(TimeSpan.FromSeconds(10 * windows), WindowLength.Shortest.Milliseconds)).Versions);
        Assert.Equal((windows, 6 * windows, 2 * windows), (version.Windows.Length, version.Total.Requests, version.Total.Refused));     // shadows are no traffic
        Assert.All(version.Windows, window => Assert.Equal((6, 1, 1), (window.Requests, window.Labelled, window.Unlabelled)));
        Assert.Equal((windows, windows, 0.5, IntervalBasis.Windows), (version.Total.Labelled, version.Total.Unlabelled, version.Total.Quality["accuracy"].Value, version.Total.Basis));
        Assert.Equal(version.Windows.Select(window => window.Start), version.Windows.Select(window => window.Start).Order());
    }

    /// <summary>1,000 requests in the bins of distance, carrier (and without one), and probability as it was sealed.</summary>
    private static TelemetrySlice Told(MonitoringStage stage, long[] distance, long[] carrier, long missing) => stage.Slice(1_000) with
    {
        Sampled = 1_000,
        Inputs = [new("distance", new(distance.Sum(), 0, [.. distance], new Moments(distance.Sum(), 0, 3_000, 700, 1e6, 0, 1e9))), new("carrier", new(carrier.Sum() + missing, missing, [.. carrier], null))],
        Outputs = [new("probability", new(1_000, 0, [700, 100, 100, 100], null))],
    };
}
