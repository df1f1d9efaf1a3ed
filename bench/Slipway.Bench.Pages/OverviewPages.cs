using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Playwright;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Lineage;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Registry;
using Slipway.Documents.Rollouts;
using Slipway.Documents.Serving;
using Slipway.Primitives.Bytes;
using Slipway.Server;
using Slipway.Server.Api;
using Slipway.Server.Monitoring;
using Slipway.Server.Registry;
using Slipway.Server.Rollouts;
using Slipway.Server.Storage;

namespace Slipway.Bench.Pages;

/// <summary>How long the overview takes, at the server and in a browser, when much has happened.</summary>
internal static class OverviewPages
{
    private const int Models = 50, Hours = 365 * 24, Entries = 500, Asked = 40, Painted = 7;
    private const double ClaimedAnswer = 100, ClaimedPaint = 1000;     // milliseconds
    private const string Browser = "/usr/bin/chromium", Channel = ReleasePlan.Production;

    public static async Task<bool> HoldAsync()
    {
        var folder = Directory.CreateTempSubdirectory("slipway-bench-").FullName;
        try
        {
            await using var plane = await ControlPlane.StartAsync(new ServerOptions { Folder = folder, Port = 0 }, CancellationToken.None);
            await FillAsync(Path.Combine(folder, "server.db"));
            Console.WriteLine($"{Models} models, each with {Hours:N0} hours of windows of two versions and {Entries} entries of history: {new FileInfo(Path.Combine(folder, "server.db")).Length / 1e6:N0} MB");
            var answered = await AnswersAsync(plane);
            return await PaintsAsync(plane) && answered;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<bool> AnswersAsync(ControlPlane plane)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = plane.Url };
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("token", plane.FirstAdminToken!)]);
        using (var signedIn = await client.PostAsync("/sign-in", form))
        {
            if (!signedIn.Headers.Contains("Set-Cookie"))
                throw new InvalidOperationException($"nobody could sign in: {(int)signedIn.StatusCode}");
        }

        var (overview, live) = (await MillisecondsAsync(client, "/"), await MillisecondsAsync(client, "/health/live"));
        var (median, slowest) = (overview[overview.Length / 2], overview[^1]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"overview: median {median:0.0} ms, slowest {slowest:0.0} ms of {Asked}; /health/live {live[live.Length / 2]:0.00} ms; claimed at most {ClaimedAnswer:0} ms: ratio {median / ClaimedAnswer:0.00}"));
        return median <= ClaimedAnswer;
    }

    /// <returns>Sorted.</returns>
    private static async Task<double[]> MillisecondsAsync(HttpClient client, string path)
    {
        var took = new List<double>();
        for (var i = -5; i < Asked; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            using var answer = await client.GetAsync(path);
            var text = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode || (path == "/" && !text.Contains("model-49", StringComparison.Ordinal)))
                throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}, and not what is measured");
            if (i >= 0)     // the first ones compile code
                took.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        return [.. took.Order()];
    }

    private static async Task<bool> PaintsAsync(ControlPlane plane)
    {
        if (!File.Exists(Browser))
        {
            Console.WriteLine($"first paint: not measured, {Browser} is not installed");
            return false;
        }

        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Browser, Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"] });
        var page = await (await browser.NewContextAsync(new() { BaseURL = plane.Url.ToString() })).NewPageAsync();
        await page.GotoAsync("/");
        await page.GetByLabel("Access token").FillAsync(plane.FirstAdminToken!);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Overview", Level = 1 }).WaitForAsync();
        var took = new List<double>();
        for (var i = 0; i < Painted; i++)
        {
            await page.GotoAsync("/", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
            // Asked again from out here: the pages' content security policy lets nothing be evaluated inside.
            while (!await page.EvaluateAsync<bool>("performance.getEntriesByName('first-contentful-paint').length > 0"))
                await Task.Delay(5);
            took.Add(await page.EvaluateAsync<double>("performance.getEntriesByName('first-contentful-paint')[0].startTime"));
        }

        took.Sort();
        var median = took[took.Count / 2];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"first contentful paint: median {median:0} ms, slowest {took[^1]:0} ms of {Painted}; claimed at most {ClaimedPaint:0} ms: ratio {median / ClaimedPaint:0.00}"));
        return median <= ClaimedPaint;
    }

    private static async Task FillAsync(string file)
    {
        await using var database = await Database.OpenAsync(null, file, CancellationToken.None);
        await database.ChangeAsync(FillAsync, CancellationToken.None);
    }

    private static async Task FillAsync(Session session)
    {
        var now = await session.NowAsync();
        const long hour = 3_600_000;
        var sum = new WindowSum { Requests = 5_000, Sampled = 500 };
        sum.Bad[0] = 7;
        sum.Latency[20] = 5_000;
        var data = sum.ToBytes();
        for (var i = 0; i < Models; i++)
        {
            var model = string.Create(CultureInfo.InvariantCulture, $"model-{i:00}");
            for (var number = 1; number <= 2; number++)
                await RegisterAsync(session, model, number, now - (400 - number) * 24 * hour);
            await ReleaseAsync(session, model, now);
            await session.ExecuteAsync(
                """
                WITH RECURSIVE hours(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM hours WHERE i < @Hours), versions(v) AS (SELECT 1 UNION ALL SELECT 2)
                INSERT INTO windows (model, channel, length, start, version, arm, requests, bad, data)
                SELECT @model, @Channel, @hour, (@now / @hour - i) * @hour, v, 1, 5000, 7, @data FROM hours, versions
                """,
                new { Hours, model, Channel, hour, now, data });
        }
    }

    private static async Task RegisterAsync(Session session, string model, int number, long at)
    {
        var bundle = BundleOf(model, number);
        await session.ExecuteAsync(
            "INSERT INTO plans (model, number, document, may_be) VALUES (@model, @number, @document, '[]')",
            new
            {
                model,
                number = (long)number,
                document = StoredJson.Text(new PlanVersion(model, number, ReleasePlan.Default.Digest, ReleasePlan.Default, "user:ada", "Ada", at, "a plan"), RegistryJson.Default.PlanVersion),
            });
        var figure = new Figure(0.7, 0.68, 0.72, 20_000);
        var metrics = ImmutableSortedDictionary<string, Figure>.Empty.Add("auc", figure);
        var gates = new GateReport(bundle, null, Verdict.Pass, [new("good enough", "auc >= 0.6", Verdict.Pass, "auc is wholly above", metrics)]);
        var signature = new ModelSignature([new("x", Datatype.Float32, [-1, 1], null, null)], [new("y", Datatype.Float32, [-1, 1], null, null)]);
        await VersionTable.InsertAsync(
            session, new ModelVersion(model, number, bundle, ReleasePlan.Default.Digest, gates, ["key"], "user:ada", "Ada", at, "a version"),
            new SealedEvidence(null, null, new LineageGraph([])), new SealedProfile("binary-classification", signature, null, metrics));
    }

    private static async Task ReleaseAsync(Session session, string model, long now)
    {
        var plan = ReleasePlan.Default.Channels[Channel];
        var (before, after) = (new VersionRef(1, BundleOf(model, 1)), new VersionRef(2, BundleOf(model, 2)));
        var state = new RolloutState(
            Digest.Of(System.Text.Encoding.UTF8.GetBytes(model)).Short, model, Channel, RolloutKind.Release, after, before, plan, ReleasePlan.Default.Digest, RolloutPhase.Promoted, null, 3, 10_000,
            [new(1, 10_000, now)], new string('0', 32), now, now, now, null, "user:olga", "Olga", "it is no worse", []);
        await RolloutTable.AddAsync(session, state);
        await RolloutTable.SaveAsync(session, state);
        await LiveVersionTable.GoLiveAsync(session, state, new GoLive(after, null));
        for (var i = 0; i < Entries; i++)
            await ChannelHistory.AddAsync(session, new HistoryEntry(now - (Entries - i) * 1_000, model, Channel, state.Id, "rollout.step", before, after, after, "server", "the server", "the evidence sufficed", null, null, []));
    }

    private static Digest BundleOf(string model, int number) => Digest.Of(System.Text.Encoding.UTF8.GetBytes($"{model} {number}"));
}
