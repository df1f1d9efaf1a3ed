using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Expressions;
using Slipway.Expressions.Conditions;
using Slipway.Server.Webhooks;
using Slipway.Tests.Documents.Specs;

namespace Slipway.Tests.Server.Alerting;

/// <summary>What the guides to alerts and incidents and the page on events say is so.</summary>
public sealed partial class GuideTests
{
    private static readonly string alerts = Read("docs/guide/alerts.md"), events = Read("docs/format/events.md"), incidents = Read("docs/guide/incidents.md");

    [Fact]
    public void The_monitor_part_is_one_and_its_conditions_can_be_read()
    {
        var plan = Slipway.Documents.Specs.SpecParser.Parse("slipway.yaml", Encoding.UTF8.GetBytes("slipway: 1\nname: example\n" + Block("yaml").Match(alerts).Groups[1].Value)).Release!.Monitor!;
        Assert.Equal(["drift", "failing", "slow", "worse"], plan.Alerts.Select(rule => rule.Name));
        Assert.All(plan.Alerts.Select(rule => rule.When).Concat(plan.Retrain.Select(rule => rule.When)), condition => Assert.True(AlertCondition.TryParse(condition, AlertVocabulary.Any, out _, out _), condition));
    }

    [Fact]
    public void Every_figure_of_the_table_is_one_and_every_state_is_told()
    {
        var rows = Row().Matches(alerts).Select(row => row.Groups[1].Value).ToArray();
        var states = Enum.GetValues<AlertState>().Select(state => state.Word()).ToArray();
        Assert.Equal(states, rows.Where(states.Contains));
        var figures = rows.Except(states).ToArray();
        Assert.True(figures.Length >= 8);
        Assert.All(figures, figure => Assert.Empty(MonitorConditions.Check($"{figure} > 0.5", new(["distance"]))));
        var all = AlertVocabulary.Counts.Concat(AlertVocabulary.Quantiles.Select(quantile => "latency." + quantile)).Concat(AlertVocabulary.Quality);
        Assert.All(all, figure => Assert.Contains($"`{figure}`", alerts));
    }

    [Fact]
    public void The_event_that_is_shown_is_one_to_the_byte()
    {
        var shown = Block("json").Match(events).Groups[1].Value;
        var happened = JsonSerializer.Deserialize(shown, MonitoringJson.Default.CloudEvent)!;
        Assert.True(JsonElement.DeepEquals(JsonSerializer.SerializeToElement(happened, MonitoringJson.Default.CloudEvent), JsonSerializer.Deserialize<JsonElement>(shown)));
        Assert.Equal(AlertSeverity.Warn, happened.Data.Severity);
        Assert.Contains(happened.Type, Row().Matches(events).Select(row => row.Groups[1].Value));
        var made = new WebhookOutbox("slipway.example.org").Event("alert.firing", happened.Subject, DateTimeOffset.Parse(happened.Time, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds(), happened.Data);
        Assert.Equal(happened with { Id = made.Id }, made);
        Assert.Equal(happened.Id.Length, made.Id.Length);
    }

    [Fact]
    public void Bounds_are_as_they_are_told()
    {
        Assert.Contains($"up to {Slipway.Documents.Incidents.Incident.LongestNote:N0} characters".Replace('.', ','), incidents);
        Assert.Contains($"At most {DeliveryTable.MostWaiting:N0} events".Replace('.', ','), alerts);
        Assert.Contains($"after {DeliveryCourse.TriesOfRefused} tries", alerts);
        Assert.Contains($"After {DeliveryCourse.GivenUpAfter.TotalHours} h an event is given up", alerts);
        Assert.Contains($"events come {DeliveryCourse.Spacing.TotalMilliseconds} ms apart", alerts);
    }

    internal static string Read(string file)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); ; folder = folder.Parent!)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Slipway.slnx")))
                return File.ReadAllText(Path.Combine(folder.FullName, file));
        }
    }

    private static Regex Block(string language) => new($"```{language}\n(.*?)```", RegexOptions.Singleline);

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
