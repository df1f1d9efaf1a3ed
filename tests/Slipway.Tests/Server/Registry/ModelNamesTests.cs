using System.Net;
using System.Text.Json;
using Slipway.Documents.Access;
using Slipway.Documents.Registry;
using Slipway.Tests.Server.Monitoring;

namespace Slipway.Tests.Server.Registry;

public sealed class ModelNamesTests
{
    /// <summary>An empty list would look like a model that nothing ever happened to.</summary>
    [Theory]
    [InlineData("models/MODEL")]
    [InlineData("models/MODEL/alerts")]
    [InlineData("models/MODEL/retraining")]
    [InlineData("models/MODEL/history")]
    [InlineData("models/MODEL/promotions")]
    [InlineData("models/MODEL/channels/production/rollouts")]
    [InlineData("models/MODEL/channels/production/monitoring")]
    [InlineData("incidents?model=MODEL")]
    public async Task A_model_that_nobody_registered_is_an_error_with_the_nearest_name(string path)
    {
        await using var stage = await MonitoringStage.OpenAsync();
        using var good = await stage.Server.Admin.GetAsync("/api/v1/" + path.Replace("MODEL", MonitoringStage.Model), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        Assert.Equal((HttpStatusCode.NotFound, "no model 'flight-dealy' is registered", "did you mean flight-delay?"), await AskAsync(stage.Server.Admin, path.Replace("MODEL", "flight-dealy")));
        Assert.Equal((HttpStatusCode.NotFound, "no model 'nosuch' is registered", "`slipway models` lists those that are; `slipway push` registers the first version"), await AskAsync(stage.Server.Admin, path.Replace("MODEL", "nosuch")));
    }

    [Fact]
    public async Task Names_of_models_that_the_caller_may_not_read_are_not_suggested()
    {
        await using var stage = await MonitoringStage.OpenAsync();
        var stranger = await stage.Server.AsAsync(Role.Viewer, "flight-dealy");
        Assert.DoesNotContain("flight-delay", (await AskAsync(stranger, "models/flight-dealy/history")).Help);
        Assert.Equal((HttpStatusCode.NotFound, "no model 'flight-delay' is registered"), (await AskAsync(stranger, "incidents?model=flight-delay")) is var (status, message, _) ? (status, message) : default);
    }

    [Theory]
    [InlineData("models/flight-delay/history?channel=prodution")]
    [InlineData("models/flight-delay/channels/prodution/monitoring")]
    public async Task A_channel_that_there_is_not_is_an_error_with_the_nearest_name(string path)
    {
        await using var stage = await MonitoringStage.OpenAsync();
        Assert.Equal((HttpStatusCode.NotFound, "there is no channel 'prodution', allowed staging and production", "did you mean production?"), await AskAsync(stage.Server.Admin, path));
    }

    private static async Task<(HttpStatusCode Status, string Message, string? Help)> AskAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync("/api/v1/" + path, TestContext.Current.CancellationToken);
        var fault = JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), RegistryJson.Default.ErrorDocument)!.Faults[0];
        return (answer.StatusCode, fault.Message, fault.Help);
    }
}
