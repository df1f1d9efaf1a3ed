using Slipway.Primitives.Faults;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Models by the names that people type: one that nobody registered is an error, told in one way, and no empty list.</summary>
internal static class ModelNames
{
    /// <exception cref="ApiProblem">No version of it is registered (404). Only names of models that the caller may read are suggested.</exception>
    public static async Task RequireAsync(Session session, Caller caller, string model)
    {
        if (await VersionTable.LastNumberAsync(session, model) == 0)
            throw Unknown(model, caller, await VersionTable.ModelsAsync(session));
    }

    public static ApiProblem Unknown(string model, Caller caller, IEnumerable<string> registered)
    {
        var near = NearestName.Of(model, registered.Where(known => caller.May(Permission.Read, known)));
        return ApiProblem.NotThere("no-model", $"no model '{model}' is registered", near is null ? "`slipway models` lists those that are; `slipway push` registers the first version" : $"did you mean {near}?");
    }
}
