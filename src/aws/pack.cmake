# The service models that the binary carries: merged by tools/models/build.mjs out of the npm packages that
# tools/models/fetch brings and python3-botocore's data, or a pack that is given as FIXPOINT_MODEL_PACK.
set(FIXPOINT_BOTOCORE_DATA "/usr/lib/python3/dist-packages/botocore/data" CACHE PATH "botocore's data folder (Debian: python3-botocore)")
set(model_tools ${CMAKE_SOURCE_DIR}/tools/models)
if(FIXPOINT_MODEL_PACK)
  if(NOT EXISTS ${FIXPOINT_MODEL_PACK})
    message(FATAL_ERROR "FIXPOINT_MODEL_PACK names ${FIXPOINT_MODEL_PACK}, which is not there")
  endif()
  set(model_pack ${FIXPOINT_MODEL_PACK})
else()
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${model_tools}/package-lock.json)
  execute_process(COMMAND ${model_tools}/fetch --where OUTPUT_VARIABLE model_packages OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT EXISTS ${model_packages}/complete)
    message(FATAL_ERROR "The npm packages with the AWS service models are not in ${model_packages}: run tools/models/fetch, which needs npm and a network (./dev build does so), or name a ready pack with -DFIXPOINT_MODEL_PACK=FILE.")
  endif()
  if(NOT IS_DIRECTORY ${FIXPOINT_BOTOCORE_DATA})
    message(FATAL_ERROR "There is no ${FIXPOINT_BOTOCORE_DATA}: install python3-botocore, or name botocore's data folder with -DFIXPOINT_BOTOCORE_DATA=FOLDER.")
  endif()
  find_program(NODE NAMES node nodejs REQUIRED)
  find_program(ZSTD zstd REQUIRED)
  set(model_pack ${CMAKE_BINARY_DIR}/models.pack)
  file(GLOB model_sources CONFIGURE_DEPENDS ${model_tools}/*.mjs)
  add_custom_command(OUTPUT ${model_pack}
    COMMAND ${NODE} ${model_tools}/build.mjs --npm ${model_packages} --botocore ${FIXPOINT_BOTOCORE_DATA} --output ${model_pack}
    DEPENDS ${model_sources} ${model_tools}/package-lock.json ${model_packages}/complete
    COMMENT "merging the AWS service models")
endif()
set(model_assembly ${CMAKE_CURRENT_BINARY_DIR}/model_pack.S)
file(CONFIGURE OUTPUT ${model_assembly} CONTENT [[
.section .rodata
.global fixpoint_model_pack_start
.global fixpoint_model_pack_end
fixpoint_model_pack_start:
.incbin "@model_pack@"
fixpoint_model_pack_end:
.byte 0
.section .note.GNU-stack,"",%progbits
]] @ONLY)
set_property(SOURCE ${model_assembly} PROPERTY OBJECT_DEPENDS ${model_pack})
target_sources(fixpoint_aws PRIVATE ${model_assembly})
