namespace Slipway.EndToEnd;

/// <summary>Kept judgements, computed again by people who doubt them.</summary>
public sealed class JudgeTests : IDisposable
{
    private readonly TinyProject project = new();

    public void Dispose() => project.Dispose();

    [Theory]
    [InlineData("no-worse", 0), InlineData("harm", 1), InlineData("insufficient-evidence", 1)]
    public void A_kept_judgement_is_computed_again(string verdict, int code)
    {
        Keep(verdict);
        var told = project.Run("judge", "report.json");
        Assert.True(told.Code == code, told.All);
        Assert.StartsWith($"verdict  {verdict}: ", told.Output);
        Assert.Contains("p99", told.Output);
        Assert.Empty(told.Errors);

        var json = project.Run("judge", "report.json", "--json").Json;
        Assert.Equal(verdict, json.GetProperty("verdict").GetString());
        Assert.True(json.GetProperty("agrees").GetBoolean());
        Assert.Equal(verdict, json.GetProperty("report").GetProperty("verdict").GetString());
    }

    [Fact]
    public void A_verdict_that_its_numbers_do_not_give_is_told()
    {
        Keep("harm");
        project.Edit("report.json", "\"verdict\":\"harm\"", "\"verdict\":\"no-worse\"");
        var told = project.Run("judge", "report.json");
        Assert.Equal(1, told.Code);
        Assert.StartsWith("verdict  harm: ", told.Output);
        Assert.Contains("the file says no-worse, and its numbers give harm", told.Errors);

        // A good verdict is not believed either when its figures were touched.
        Keep("no-worse");
        project.Edit("report.json", "\"logThreshold\":4.60517018599", "\"logThreshold\":4.70517018599");
        told = project.Run("judge", "report.json");
        Assert.Equal(1, told.Code);
        Assert.Contains("the file's figures are not those that its numbers give", told.Errors);
        Assert.False(project.Run("judge", "report.json", "--json").Json.GetProperty("agrees").GetBoolean());
    }

    [Fact]
    public void What_is_no_judgement_is_unusable()
    {
        Keep("harm");
        project.Edit("report.json", "\"lost\":0", "\"lost\":0,\"luck\":1");
        Assert.Equal(2, project.Run("judge", "report.json").Code);
        Assert.Equal(2, project.Run("judge", "missing.json").Code);
        Assert.Contains("no judge's report", project.Run("judge", "report.json").Errors);
    }

    private void Keep(string verdict) =>
        File.Copy(Path.Combine(RepositoryRoot.Folder, "tests/Slipway.Tests/Server/Judging/vectors", verdict + ".json"), project.PathOf("report.json"), overwrite: true);
}
